// Shuffled orders, the same here and in NumPy: which row stands at a position, without a list of rows.
#pragma once

#include "random.hpp"

namespace chainrule::CHAINRULE_ISA {

// half + hash(other) modulo size.
CHAINRULE_INLINE Words add_hash(Words half, Words other, std::uint64_t key, std::uint64_t size) {
    Words z = half_product(other ^ key, Words{} + 0x9E3779B1u);
    z = half_product(z ^ (z >> 32) ^ (key >> 32), Words{} + 0xD6E8FEB9u);
    half += half_product(z ^ (z >> 32), Words{} + size) >> 32;
    return half - (reinterpret_cast<Words>(half >= size) & size);
}

inline constexpr int side_by_side = 4;  // vectors in flight: one alone would wait for its own products

// Rounds of a Feistel network on pairs (left, right) in [0, a) x [0, b): Black and Rogaway (2002).
template <int Rounds, int Count>
CHAINRULE_INLINE void feistel(const Bijection& p, Words (&left)[Count], Words (&right)[Count]) {
    for (int round = 0; round < Rounds; round += 2) {
        CHAINRULE_UNROLL
        for (int i = 0; i < Count; ++i) left[i] = add_hash(left[i], right[i], p.key[round], p.a);
        CHAINRULE_UNROLL
        for (int i = 0; i < Count; ++i) right[i] = add_hash(right[i], left[i], p.key[round + 1], p.b);
    }
}

// The position of each lane as a pair, `step` positions apart from one call of `next` to the following one.
struct Pairs {
    Words left, right;
    std::uint64_t a, step_left, step_right;

    CHAINRULE_INLINE Pairs(std::uint64_t first, std::uint64_t a_, std::uint64_t step)
        : a(a_), step_left(step % a_), step_right(step / a_) {
        std::uint64_t l = first % a, r = first / a;
        for (int i = 0; i < word_lanes; ++i) {
            left[i] = l;
            right[i] = r;
            const bool wraps = ++l == a;
            r += wraps;
            l = wraps ? 0 : l;
        }
    }

    CHAINRULE_INLINE void next() {
        left += step_left;
        const Words wraps = reinterpret_cast<Words>(left >= a);  // all ones where it does
        left -= wraps & a;
        right += step_right - wraps;
    }
};

// What left [0, n) is sent through again until it is inside: those of `rows` that `where` names, a vector at a time.
template <int Rounds>
__attribute__((noinline)) void walk(const Bijection& p, std::uint64_t* rows, const std::int32_t* where, ptrdiff_t count) {
    for (ptrdiff_t done = 0; done < count; done += word_lanes) {
        const ptrdiff_t some = count - done < word_lanes ? count - done : word_lanes;
        for (bool outside = true; outside;) {
            Words left[1] = {}, right[1] = {};
            for (ptrdiff_t i = 0; i < some; ++i) {
                const std::uint64_t row = rows[where[done + i]];
                left[0][i] = row % p.a;
                right[0][i] = row / p.a;
            }
            feistel<Rounds>(p, left, right);
            outside = false;
            for (ptrdiff_t i = 0; i < some; ++i) {
                std::uint64_t& row = rows[where[done + i]];
                if (row >= p.n) row = right[0][i] * p.a + left[0][i];
                outside |= row >= p.n;
            }
        }
    }
}

// out[i] = offset + the row at position first + i.
template <int Rounds>
CHAINRULE_INLINE void positions_in(const Bijection& p, std::int64_t first, ptrdiff_t count, std::int64_t offset,
                                   std::int64_t* out) {
    constexpr ptrdiff_t some = side_by_side * word_lanes, most = 8 * some;
    Pairs pairs(static_cast<std::uint64_t>(first), p.a, word_lanes);
    for (ptrdiff_t begin = 0; begin < count; begin += most) {
        const ptrdiff_t wanted = count - begin < most ? count - begin : most;
        alignas(64) std::uint64_t rows[most];
        std::int32_t where[most];
        ptrdiff_t outside = 0;
        for (ptrdiff_t done = 0; done < wanted; done += some) {
            Words left[side_by_side], right[side_by_side], beyond{};
            CHAINRULE_UNROLL
            for (int i = 0; i < side_by_side; ++i) {
                left[i] = pairs.left;
                right[i] = pairs.right;
                pairs.next();
            }
            feistel<Rounds>(p, left, right);
            CHAINRULE_UNROLL
            for (int i = 0; i < side_by_side; ++i) {
                left[i] += half_product(right[i], Words{} + p.a);
                beyond |= reinterpret_cast<Words>(left[i] >= p.n);
            }
            __builtin_memcpy(rows + done, left, sizeof left);
            if (fold<word_lanes>(beyond, [](auto x, auto y) __attribute__((always_inline)) { return x | y; }) == 0) continue;
            for (ptrdiff_t i = done; i < done + some && i < wanted; ++i) {
                where[outside] = static_cast<std::int32_t>(i);
                outside += rows[i] >= p.n;
            }
        }
        if (outside > 0) walk<Rounds>(p, rows, where, outside);
        for (ptrdiff_t i = 0; i < wanted; ++i) out[begin + i] = offset + static_cast<std::int64_t>(rows[i]);
    }
}

inline void positions(const Bijection& p, std::int64_t first, ptrdiff_t count, std::int64_t offset, std::int64_t* out) {
    if (p.a * p.b <= 128) {
        positions_in<16>(p, first, count, offset, out);
    } else {
        positions_in<8>(p, first, count, offset, out);
    }
}

}  // namespace chainrule::CHAINRULE_ISA
