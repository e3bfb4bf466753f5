// Random numbers from counters: dropout masks, the same here and in NumPy.
#pragma once

#include "program.hpp"
#include "simd.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace chainrule::CHAINRULE_ISA {

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

struct Philox {
    std::uint64_t word[4];
};

CHAINRULE_INLINE std::uint64_t high_product(std::uint64_t a, std::uint64_t b) {
    __extension__ typedef unsigned __int128 Wide;
    return static_cast<std::uint64_t>((static_cast<Wide>(a) * b) >> 64);
}

// Philox4x64-10 (Salmon et al. 2011), as numpy.random.Philox.
inline constexpr std::uint64_t philox_m0 = 0xD2E7470EE14C6C93u, philox_m1 = 0xCA5A826395121157u,
                               philox_k0 = 0x9E3779B97F4A7C15u, philox_k1 = 0xBB67AE8584CAA73Bu;

CHAINRULE_INLINE Philox philox(Philox counter, std::uint64_t key) {
    std::uint64_t k0 = key, k1 = 0;
    CHAINRULE_UNROLL
    for (int round = 0; round < 10; ++round) {
        const std::uint64_t* c = counter.word;
        counter = {{high_product(philox_m1, c[2]) ^ c[1] ^ k0, philox_m1 * c[2],
                    high_product(philox_m0, c[0]) ^ c[3] ^ k1, philox_m0 * c[0]}};
        k0 += philox_k0;
        k1 += philox_k1;
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

// Sixteen random numbers, of which the upper half decides.
typedef std::uint32_t Lanes __attribute__((vector_size(64)));
typedef std::int32_t Kept __attribute__((vector_size(64)));

// kept where `where` is all ones, else 0, in the first `count` places.
template <class T>
CHAINRULE_INLINE void put_kept(const Kept& where, T kept, ptrdiff_t count, T* to) {
    typedef T All __attribute__((vector_size(16 * sizeof(T))));
    typedef T Unaligned __attribute__((vector_size(16 * sizeof(T)), aligned(alignof(T))));
    typedef Integer<T> Wide __attribute__((vector_size(16 * sizeof(T))));
    const All drawn = __builtin_convertvector(where, Wide) != 0 ? kept - All{} : All{};
    if (count == 16) {
        *reinterpret_cast<Unaligned*>(to) = drawn;
    } else {
        for (ptrdiff_t j = 0; j < count; ++j) to[j] = drawn[j];
    }
}

#if CHAINRULE_VECTOR_BYTES == 64
struct Philoxes {
    Words word[4];
};

struct FullProduct {
    Words high, low;
};

// All 128 bits of each lane of `a` times b, from products of halves.
CHAINRULE_INLINE FullProduct full_product(Words a, std::uint64_t b) {
    const Words b_low = Words{} + (b & 0xFFFFFFFFu), b_high = Words{} + (b >> 32), a_high = a >> 32;
    const Words low = half_product(a, b_low);
    const Words middle = half_product(a_high, b_low) + (low >> 32);
    const Words other = half_product(a, b_high) + (middle & 0xFFFFFFFFu);
    return {half_product(a_high, b_high) + (middle >> 32) + (other >> 32), other << 32 | (low & 0xFFFFFFFFu)};
}

// `philox` of eight counters at a time.
template <int Count>
CHAINRULE_INLINE void philox(Philoxes (&counters)[Count], std::uint64_t key) {
    std::uint64_t k0 = key, k1 = 0;
    CHAINRULE_UNROLL
    for (int round = 0; round < 10; ++round) {
        CHAINRULE_UNROLL
        for (Philoxes& one : counters) {
            const Words* c = one.word;
            const FullProduct p0 = full_product(c[0], philox_m0), p1 = full_product(c[2], philox_m1);
            one = {{p1.high ^ c[1] ^ k0, p1.low, p0.high ^ c[3] ^ k1, p0.low}};
        }
        k0 += philox_k0;
        k1 += philox_k1;
    }
}
#endif

// Sixteen units of some rows, the counters of these rows side by side: rows are what lies next to each other.
template <class T>
CHAINRULE_INLINE void draw_sixteen(const MaskDraw& draw, std::uint64_t stream, std::uint32_t threshold, T kept,
                                   std::uint64_t counter, std::uint64_t counters_of_row, ptrdiff_t count, ptrdiff_t ld,
                                   T* mask) {
#if CHAINRULE_VECTOR_BYTES == 64
    Words rows{0, 1, 2, 3, 4, 5, 6, 7};
    rows = rows * counters_of_row + counter;
    Philoxes drawn[2];
    for (Philoxes& half : drawn) {
        half = {{rows, Words{} + stream, Words{} + draw.step, Words{}}};
        rows += 8 * counters_of_row;
    }
    philox(drawn, draw.seed);
    const Words least = Words{} + (std::uint64_t{threshold} << 48);
    CHAINRULE_UNROLL
    for (int i = 0; i < 16; ++i) {
        const auto kept_of = [&](const Philoxes& half) __attribute__((always_inline)) {
            const Words lane = half.word[i / 4] << (48 - 16 * (i % 4));
            return _mm512_cmpge_epu64_mask(reinterpret_cast<__m512i>(lane), reinterpret_cast<__m512i>(least));
        };
        const auto where = static_cast<__mmask16>(kept_of(drawn[0]) | kept_of(drawn[1]) << 8);
        put_kept(reinterpret_cast<Kept>(_mm512_movm_epi32(where)), kept, count, mask + i * ld);
    }
#else
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
    CHAINRULE_UNROLL
    for (int i = 0; i < 8; ++i) {
        const Lanes half = *reinterpret_cast<const Lanes*>(halves[i]);
        put_kept(half << 16 >= threshold << 16, kept, count, mask + 2 * i * ld);
        put_kept(half >= threshold << 16, kept, count, mask + (2 * i + 1) * ld);
    }
#endif
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

}  // namespace chainrule::CHAINRULE_ISA
