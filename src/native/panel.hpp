// The one inner loop of all matrix products: a few broadcast values times a few vectors, the sums held in
// registers.
//
//     c[m * c_m + lane] (+)= sum over k of a[k * a_k + m * a_m] * b[k * b_k + lane]  (+ bias[m])
//
// Sums start from zero and what is in c is added last, so that adding two partial results gives the
// same bits whether they came from one buffer or from two.
#pragma once

#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

// Rows that will be needed soon, fetched into the cache one line at a time between multiplications.
struct Prefetch {
    const unsigned char* const* rows = nullptr;
    ptrdiff_t count = 0;  // rows
    ptrdiff_t bytes = 0;  // in a row
    const unsigned char* line = nullptr;
    const unsigned char* end = nullptr;
    ptrdiff_t step = 0;
    ptrdiff_t row = 0;

    Prefetch() { stop(); }

    Prefetch(const unsigned char* const* rows_, ptrdiff_t count_, ptrdiff_t bytes_)
        : rows(rows_), count(count_), bytes(bytes_), step(64), row(-1) {
        next_row();
    }

    void next_row() {
        if (++row >= count || bytes <= 0) return stop();
        line = rows[row];
        end = line + bytes;
    }

    // From here on the same harmless line again and again, which is cheaper than asking.
    void stop() {
        row = count;
        line = reinterpret_cast<const unsigned char*>(this);
        end = line + 1;
        step = 0;
    }
};

// A loop's own copy of the place in it, which compilers can keep in registers.
struct Fetch {
    Prefetch& ahead;
    const unsigned char *line, *end;
    ptrdiff_t step;

    CHAINRULE_INLINE explicit Fetch(Prefetch& p) : ahead(p), line(p.line), end(p.end), step(p.step) {}
    CHAINRULE_INLINE ~Fetch() { ahead.line = line; }
    Fetch(const Fetch&) = delete;

    CHAINRULE_INLINE void next() {
        __builtin_prefetch(line, 0, 2);
        line += step;
        if (__builtin_expect(line >= end, 0)) {
            ahead.next_row();
            line = ahead.line;
            end = ahead.end;
            step = ahead.step;
        }
    }
};

template <class T>
struct Panel {
    ptrdiff_t count;  // of k
    const T* a;
    ptrdiff_t a_stride;  // between values of k where those of m are adjacent, else between values of m
    const T* b;
    ptrdiff_t b_stride;
    T* c;
    ptrdiff_t c_stride;
    const T* bias;    // or null
    bool accumulate;  // add to c
    Prefetch* prefetch;
};

enum class Along { m, k };  // the direction in which the values of `a` are adjacent

inline constexpr int most_vectors = vector_registers >= 32 ? 4 : 3;
inline constexpr int most_units = 12;

// How many values of m fit beside that many vectors: sums, one of `a`, the vectors of b.
constexpr int unit_limit(int vectors) {
#if defined(__AVX2__) || defined(__aarch64__)
    constexpr int spare = 1;
#else
    constexpr int spare = 2;  // without fused multiply-add products need a register too
#endif
    const int limit = (vector_registers - spare - vectors) / vectors;
    return limit < most_units ? limit : most_units;
}

template <class T, int Vectors, int Units, Along Direction>
void panel(const Panel<T>& p) {
    constexpr int n = lanes<T>;
    Vec<T> sum[Units][Vectors];
    CHAINRULE_UNROLL
    for (int m = 0; m < Units; ++m) {
        CHAINRULE_UNROLL
        for (int v = 0; v < Vectors; ++v) sum[m][v] = Vec<T>{};
    }
    const T* a = p.a;
    const T* b = p.b;
    const ptrdiff_t a_stride = p.a_stride, b_stride = p.b_stride;
    const auto step = [&]() __attribute__((always_inline)) {
        Vec<T> row[Vectors];
        CHAINRULE_UNROLL
        for (int v = 0; v < Vectors; ++v) row[v] = load(b + v * n);
        CHAINRULE_UNROLL
        for (int m = 0; m < Units; ++m) {
            const Vec<T> value = broadcast<T>(Direction == Along::m ? a[m] : a[m * a_stride]);
            CHAINRULE_UNROLL
            for (int v = 0; v < Vectors; ++v) sum[m][v] = fma<T>(value, row[v], sum[m][v]);
        }
        a += Direction == Along::m ? a_stride : 1;
        b += b_stride;
    };
    Fetch fetch(*p.prefetch);
    for (ptrdiff_t pairs = p.count / 2; pairs > 0; --pairs) {
        fetch.next();
        step();
        step();
    }
    if (p.count % 2 != 0) step();

    CHAINRULE_UNROLL
    for (int m = 0; m < Units; ++m) {
        T* c = p.c + m * p.c_stride;
        CHAINRULE_UNROLL
        for (int v = 0; v < Vectors; ++v) {
            Vec<T> total = sum[m][v] + Vec<T>{};  // no -0 from what became too small: leaving out zeros changes no bit
            if (p.bias != nullptr) total += p.bias[m];
            if (p.accumulate) total += load(c + v * n);
            store(c + v * n, total);
        }
    }
}

template <class T>
using PanelFunction = void (*)(const Panel<T>&);

template <class T, Along Direction>
struct PanelTable {
    PanelFunction<T> of[most_vectors][most_units];

    template <int Vectors, int... U>
    constexpr void fill(std::integer_sequence<int, U...>) {
        ((of[Vectors - 1][U] = panel<T, Vectors, U + 1, Direction>), ...);
        if constexpr (Vectors > 1) fill<Vectors - 1>(std::make_integer_sequence<int, unit_limit(Vectors - 1)>{});
    }

    constexpr PanelTable() : of{} { fill<most_vectors>(std::make_integer_sequence<int, unit_limit(most_vectors)>{}); }
};

template <class T, Along Direction>
inline constexpr PanelTable<T, Direction> panels{};

// Divides `total` into near-equal parts of at most `most`: calls body(begin, size).
template <class Body>
CHAINRULE_INLINE void in_parts(ptrdiff_t total, ptrdiff_t most, Body body) {
    ptrdiff_t parts = total <= most ? total > 0 : (total + most - 1) / most, begin = 0;  // small layers: no divisions
    for (; parts > 0; --parts) {
        const ptrdiff_t size = parts == 1 ? total - begin : (total - begin + parts - 1) / parts;
        body(begin, size);
        begin += size;
    }
}

// All of c for `units` values of m and `vectors` vectors.
template <class T, Along Direction>
CHAINRULE_INLINE void product(Panel<T> p, ptrdiff_t units, ptrdiff_t vectors) {
    const Panel<T> whole = p;
    in_parts(vectors, most_vectors, [&](ptrdiff_t v, ptrdiff_t width) __attribute__((always_inline)) {
        const auto& row = panels<T, Direction>.of[width - 1];
        p.b = whole.b + v * lanes<T>;
        in_parts(units, unit_limit(static_cast<int>(width)), [&](ptrdiff_t m, ptrdiff_t height) __attribute__((always_inline)) {
            p.a = whole.a + (Direction == Along::m ? m : m * p.a_stride);
            p.c = whole.c + m * p.c_stride + v * lanes<T>;
            p.bias = whole.bias == nullptr ? nullptr : whole.bias + m;
            row[height - 1](p);
        });
    });
}

}  // namespace chainrule::CHAINRULE_ISA
