// Products that leave out zeros: pixels of a margin, columns that stand for categories, words a text does not hold.
//
// While rows are gathered, each vector of rows notes which features are not zero in one of them, and each group of
// features in which rows one of them is not zero. Adding 0 * w changes nothing while w is finite, so the results are
// those of the whole product to the bit; where w is not, the whole product is computed.
#pragma once

#include "panel.hpp"
#include "program.hpp"

namespace chainrule::CHAINRULE_ISA {

inline constexpr int features_together = 4;  // share one set of rows

// The words of `bits` that lie in [first, last), the bits outside cleared: calls body(word, index of its first bit).
template <class Body>
CHAINRULE_INLINE void each_word(const std::uint64_t* bits, ptrdiff_t first, ptrdiff_t last, Body body) {
    for (ptrdiff_t at = first / 64 * 64; at < last; at += 64) {
        std::uint64_t word = bits[at / 64];
        if (at < first) word &= ~std::uint64_t{0} << (first - at);
        if (last - at < 64) word &= ~(~std::uint64_t{0} << (last - at));
        body(word, at);
    }
}

template <class T>
CHAINRULE_INLINE bool all_finite(const T* p, ptrdiff_t rows, ptrdiff_t width, ptrdiff_t stride) {
    const ptrdiff_t together = stride == width ? rows * width : width;
    Vec<T> trouble[4] = {};
    T rest = 0;
    for (const T* const end = p + rows * stride; p < end; p += stride == width ? together : stride) {
        ptrdiff_t i = 0;
        for (; i + 4 * lanes<T> <= together; i += 4 * lanes<T>) {
            CHAINRULE_UNROLL
            for (int j = 0; j < 4; ++j) trouble[j] = fma<T>(load(p + i + j * lanes<T>), Vec<T>{}, trouble[j]);
        }
        for (; i < together; ++i) rest += p[i] * T(0);
    }
    const Vec<T> all = (trouble[0] + trouble[1]) + (trouble[2] + trouble[3]) + rest;
    return !any<T>(all != all);
}

// As Panel, for one vector of b, over those k in [first, last) whose bit is set. a: values of m adjacent.
template <class T>
struct NonzeroPanel {
    const std::uint64_t* bits;
    ptrdiff_t first, last;
    const T* a;
    ptrdiff_t a_stride;
    const T* b;
    ptrdiff_t b_stride;
    T* c;
    ptrdiff_t c_stride;
    const T* bias;
    bool accumulate;
    Prefetch* prefetch;
};

// One vector leaves room for more values of m than several; all of them share one walk over the bits.
inline constexpr int nonzero_unit_limit = vector_registers >= 32 ? 24 : (vector_bytes == 32 ? 14 : 12);

template <class T, int Units>
void panel_nonzero(const NonzeroPanel<T>& p) {
    Vec<T> sum[Units];
    CHAINRULE_UNROLL
    for (int m = 0; m < Units; ++m) sum[m] = Vec<T>{};
    Fetch fetch(*p.prefetch);
    const ptrdiff_t a_stride = p.a_stride, b_stride = p.b_stride;
    each_word(p.bits, p.first, p.last, [&](std::uint64_t word, ptrdiff_t at) __attribute__((always_inline)) {
        const T *a = p.a + at * a_stride, *b = p.b + at * b_stride;
        for (; word != 0; word &= word - 1) {
            fetch.next();
            const ptrdiff_t k = __builtin_ctzll(word);
            const Vec<T> row = load(b + k * b_stride);
            CHAINRULE_UNROLL
            for (int m = 0; m < Units; ++m) sum[m] = fma<T>(broadcast<T>(a[k * a_stride + m]), row, sum[m]);
        }
    });
    CHAINRULE_UNROLL
    for (int m = 0; m < Units; ++m) {
        T* c = p.c + m * p.c_stride;
        Vec<T> total = sum[m] + Vec<T>{};  // as in panel()
        if (p.bias != nullptr) total += p.bias[m];
        if (p.accumulate) total += load(c);
        store(c, total);
    }
}

template <class T>
struct NonzeroTable {
    void (*of[nonzero_unit_limit])(const NonzeroPanel<T>&);

    template <int... U>
    constexpr void fill(std::integer_sequence<int, U...>) {
        ((of[U] = panel_nonzero<T, U + 1>), ...);
    }
    constexpr NonzeroTable() : of{} { fill(std::make_integer_sequence<int, nonzero_unit_limit>{}); }
};

template <class T>
inline constexpr NonzeroTable<T> nonzero_panels{};

}  // namespace chainrule::CHAINRULE_ISA
