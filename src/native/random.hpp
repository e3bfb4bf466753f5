// Random numbers from counters: dropout masks and shuffled orders, the same here and in NumPy.
#pragma once

#include "program.hpp"
#include "simd.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace chainrule::CHAINRULE_ISA {

struct Philox {
    std::uint64_t word[4];
};

CHAINRULE_INLINE std::uint64_t high_product(std::uint64_t a, std::uint64_t b) {
    __extension__ typedef unsigned __int128 Wide;
    return static_cast<std::uint64_t>((static_cast<Wide>(a) * b) >> 64);
}

// Philox4x64-10 (Salmon et al. 2011), as numpy.random.Philox.
CHAINRULE_INLINE Philox philox(Philox counter, std::uint64_t key) {
    std::uint64_t k0 = key, k1 = 0;
    CHAINRULE_UNROLL
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t *c = counter.word, m0 = 0xD2E7470EE14C6C93u, m1 = 0xCA5A826395121157u;
        counter = {{high_product(m1, c[2]) ^ c[1] ^ k0, m1 * c[2], high_product(m0, c[0]) ^ c[3] ^ k1, m0 * c[0]}};
        k0 += 0x9E3779B97F4A7C15u;
        k1 += 0xBB67AE8584CAA73Bu;
    }
    return counter;
}

// One unit after another: for widths that are no multiple of what one counter gives.
template <class T>
inline void draw_each(const MaskDraw& draw, std::uint64_t stream, std::uint64_t threshold, T kept, ptrdiff_t units,
                      ptrdiff_t rows, ptrdiff_t ld, T* mask) {
    std::uint64_t lane = static_cast<std::uint64_t>(draw.first_row) * static_cast<std::uint64_t>(units);
    ptrdiff_t u = 0, r = 0;
    while (r < rows) {
        const Philox words = philox({{lane / 16 + 1, stream, draw.step, 0}}, draw.seed);
        for (std::uint64_t i = lane % 16; i < 16 && r < rows; ++i, ++lane) {
            const std::uint64_t bits = words.word[i / 4] >> (16 * (i % 4)) & 0xFFFF;
            mask[u * ld + r] = bits >= threshold ? kept : T(0);
            if (++u == units) {
                u = 0;
                ++r;
            }
        }
    }
}

// Sixteen units of some rows, the counters of these rows side by side: rows are what lies next to each other.
template <class T>
CHAINRULE_INLINE void draw_sixteen(const MaskDraw& draw, std::uint64_t stream, std::uint32_t threshold, T kept,
                                   std::uint64_t counter, std::uint64_t counters_of_row, ptrdiff_t count, ptrdiff_t ld,
                                   T* mask) {
    constexpr ptrdiff_t some = 16;
    alignas(64) std::uint32_t halves[8][some] = {};
    for (ptrdiff_t j = 0; j < count; ++j) {
        const Philox words = philox({{counter + static_cast<std::uint64_t>(j) * counters_of_row, stream, draw.step, 0}}, draw.seed);
        CHAINRULE_UNROLL
        for (int i = 0; i < 4; ++i) {
            halves[2 * i][j] = static_cast<std::uint32_t>(words.word[i]);
            halves[2 * i + 1][j] = static_cast<std::uint32_t>(words.word[i] >> 32);
        }
    }
    for (int u = 0; u < 16; ++u) {
        const std::uint32_t* half = halves[u / 2];
        const int shift = 16 * (u % 2);
        alignas(64) T drawn[some];
        for (ptrdiff_t j = 0; j < some; ++j) drawn[j] = (half[j] >> shift & 0xFFFF) >= threshold ? kept : T(0);
        T* to = mask + u * ld;
        if (count == some) {
            __builtin_memcpy(to, drawn, sizeof drawn);
        } else {
            for (ptrdiff_t j = 0; j < count; ++j) to[j] = drawn[j];
        }
    }
}

// Element (row r of the mini-batch, unit u) is the 16-bit lane r * units + u of the stream; it is kept where the
// lane is at least rate * 65536, with the value that makes the expectation one. NumPy counts up before it draws:
// the first sixteen lanes belong to counter 1.
template <class T>
inline void draw_mask(const MaskDraw& draw, std::uint64_t stream, double rate, ptrdiff_t units, ptrdiff_t rows, ptrdiff_t ld,
                      T* mask) {
    const double share = __builtin_nearbyint(rate * 65536.0);
    const std::uint64_t threshold = static_cast<std::uint64_t>(share < 65535.0 ? share : 65535.0);
    const T kept = static_cast<T>(65536.0 / static_cast<double>(65536 - threshold));
    if (units % 16 != 0) return draw_each<T>(draw, stream, threshold, kept, units, rows, ld, mask);
    const std::uint64_t counters = static_cast<std::uint64_t>(units / 16);
    for (ptrdiff_t r = 0; r < rows; r += 16) {
        const std::uint64_t first = static_cast<std::uint64_t>(draw.first_row + r) * counters + 1;
        const ptrdiff_t count = rows - r < 16 ? rows - r : 16;
        for (ptrdiff_t u = 0; u < units; u += 16) {
            draw_sixteen<T>(draw, stream, static_cast<std::uint32_t>(threshold), kept,
                            first + static_cast<std::uint64_t>(u / 16), counters, count, ld, mask + u * ld + r);
        }
    }
}

typedef std::uint64_t Words __attribute__((vector_size(vector_bytes)));
inline constexpr int word_lanes = vector_bytes / 8;

// The product of the low halves of each lane, one instruction on x86 where the full product takes several.
CHAINRULE_INLINE Words half_product(Words a, Words b) {
#if CHAINRULE_VECTOR_BYTES == 64
    return reinterpret_cast<Words>(_mm512_maskz_mul_epu32(0xff, reinterpret_cast<__m512i>(a), reinterpret_cast<__m512i>(b)));
#elif CHAINRULE_VECTOR_BYTES == 32
    return reinterpret_cast<Words>(_mm256_mul_epu32(reinterpret_cast<__m256i>(a), reinterpret_cast<__m256i>(b)));
#elif defined(__SSE2__)
    return reinterpret_cast<Words>(_mm_mul_epu32(reinterpret_cast<__m128i>(a), reinterpret_cast<__m128i>(b)));
#else
    return (a & 0xFFFFFFFFu) * (b & 0xFFFFFFFFu);
#endif
}

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
