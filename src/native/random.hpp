// Random numbers from counters: dropout masks and shuffled orders, the same here and in NumPy.
#pragma once

#include "program.hpp"
#include "simd.hpp"

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

// Element (row r of the mini-batch, unit u) is the 16-bit lane r * units + u of the stream; it is kept where the
// lane is at least rate * 65536, with the value that makes the expectation one.
template <class T>
inline void draw_mask(const MaskDraw& draw, std::uint64_t stream, double rate, ptrdiff_t units, ptrdiff_t rows, ptrdiff_t ld,
                      T* mask) {
    const std::uint64_t threshold = static_cast<std::uint64_t>(__builtin_nearbyint(rate * 65536.0));
    const T kept = static_cast<T>(65536.0 / static_cast<double>(65536 - threshold));
    std::uint64_t lane = static_cast<std::uint64_t>(draw.first_row) * static_cast<std::uint64_t>(units);
    ptrdiff_t u = 0, r = 0;
    while (r < rows) {
        // NumPy counts up before it draws: the first four words belong to counter 1
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

// A number in [0, range) from the low 32 bits of `value`: only products of 32-bit halves, which vectors have.
CHAINRULE_INLINE std::uint64_t mixed(std::uint64_t value, std::uint64_t key, std::uint64_t range) {
    constexpr std::uint64_t low = 0xFFFFFFFFu;
    std::uint64_t z = ((value ^ key) & low) * 0x9E3779B1u;
    z = ((z ^ (z >> 32) ^ (key >> 32)) & low) * 0xD6E8FEB9u;
    z = (z ^ (z >> 32)) & low;
    return (z * range) >> 32;
}

// Rounds of a Feistel network on pairs (left, right) in [0, a) x [0, b): Black and Rogaway (2002).
template <int Rounds>
CHAINRULE_INLINE void feistel(const Bijection& p, std::uint64_t& left, std::uint64_t& right) {
    CHAINRULE_UNROLL
    for (int round = 0; round < Rounds; round += 2) {
        left += mixed(right, p.key[round], p.a);
        left -= left >= p.a ? p.a : 0;
        right += mixed(left, p.key[round + 1], p.b);
        right -= right >= p.b ? p.b : 0;
    }
}

// out[i] = offset + the row at position first + i. What leaves [0, n) is sent through again until it is inside.
template <int Rounds>
CHAINRULE_INLINE void positions_in(const Bijection& p, std::int64_t first, ptrdiff_t count, std::int64_t offset,
                                   std::int64_t* out) {
    constexpr ptrdiff_t some = 64;
    std::uint64_t left[some], right[some];
    for (ptrdiff_t done = 0; done < count; done += some) {
        const ptrdiff_t wanted = count - done < some ? count - done : some;
        std::uint64_t l = static_cast<std::uint64_t>(first + done) % p.a, r = static_cast<std::uint64_t>(first + done) / p.a;
        for (ptrdiff_t i = 0; i < some; ++i) {
            left[i] = l;
            right[i] = r;
            const bool wraps = ++l == p.a;
            r += wraps;
            l = wraps ? 0 : l;
        }
        for (ptrdiff_t i = 0; i < some; ++i) feistel<Rounds>(p, left[i], right[i]);
        for (ptrdiff_t i = 0; i < wanted; ++i) {
            while (right[i] * p.a + left[i] >= p.n) feistel<Rounds>(p, left[i], right[i]);
            out[done + i] = offset + static_cast<std::int64_t>(right[i] * p.a + left[i]);
        }
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
