// The gradient of a layer's weights: dW[i][o] = sum over rows of x[i][r] dy[o][r].
//
// Two ways. By dots: rows in lanes, a sum across lanes for every weight; for small layers. By features: lanes
// over units of x read row by row, values of dy broadcast, no sum across lanes; for the rest. That one needs x
// row-major, and transposes it a tile at a time where the caller has it unit-major only.
#pragma once

#include "panel.hpp"
#include "transpose.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T>
struct WeightGradient {
    ptrdiff_t in, out, rows;
    const T* x;
    ptrdiff_t ldx;
    const T* xr;  // row-major x, or null
    ptrdiff_t ldxr;
    const T* dy;
    ptrdiff_t ldy;
    T* dW;
    ptrdiff_t lddw;
    bool accumulate;
    Prefetch* prefetch;
};

// Estimated cycles, from measurements with AVX-512: a sum across lanes costs about 4, a transposed store 6 a vector.
template <class T>
CHAINRULE_INLINE bool prefer_dots(const WeightGradient<T>& g) {
    const ptrdiff_t vectors = (g.rows + lanes<T> - 1) / lanes<T>, features = (g.in + lanes<T> - 1) / lanes<T>;
    const ptrdiff_t transposing = g.xr != nullptr ? 0 : features * vectors * lanes<T> * 6;
    return g.in * g.out * (vectors + 4) < features * g.out * (g.rows + 8) + transposing;
}

// Adds to (or writes) `width` values at `to`.
template <class T>
CHAINRULE_INLINE void put_first(T* to, Vec<T> v, ptrdiff_t width, bool accumulate) {
    if (width == lanes<T>) {
        store(to, accumulate ? load(to) + v : v);
    } else {
        store_first(to, accumulate ? load_first(to, width) + v : v, width);
    }
}

// db[o] = sum over rows of dy[o][r].
template <class T>
inline void sum_rows(ptrdiff_t out, ptrdiff_t rows, const T* dy, ptrdiff_t ldy, T* db, bool accumulate) {
    constexpr int n = lanes<T>;
    const ptrdiff_t full = rows / n * n;
    const Mask<T> tail = first_lanes<T>(rows - full);
    for (ptrdiff_t begin = 0; begin < out; begin += n) {
        const ptrdiff_t count = out - begin < n ? out - begin : n;
        Vec<T> sums[n];
        CHAINRULE_UNROLL
        for (int j = 0; j < n; ++j) {
            const T* row = dy + (begin + (j < count ? j : 0)) * ldy;
            Vec<T> sum{};
            for (ptrdiff_t r = 0; r < full; r += n) sum += load(row + r);
            if (full < rows) sum += select<T>(tail, load(row + full), Vec<T>{});
            sums[j] = sum;
        }
        const Vec<T> total = sum_each<T>(sums);
        put_first<T>(db + begin, total, count, accumulate);
    }
}

// The input that biases belong to is 1 in every row.
template <class T>
struct Ones {
    static constexpr int count = 64;
    alignas(64) T of[count];
    constexpr Ones() : of{} {
        for (T& one : of) one = T(1);
    }
};
template <class T>
inline constexpr Ones<T> ones{};

// Lane i takes the value of lane i + By.
template <class T, int By, std::size_t... I>
CHAINRULE_INLINE Vec<T> rotate(Vec<T> v, std::index_sequence<I...>) {
    return __builtin_shufflevector(v, v, (static_cast<int>(I) + By) % lanes<T>...);
}

// One tile of sums over rows of x[i] dy[o], in lane i * Width + o.
template <class T, int Height, int Width>
CHAINRULE_INLINE Vec<T> dot_tile(const T* const (&x)[Height], const T* const (&dy)[Width], ptrdiff_t rows) {
    constexpr int n = lanes<T>;
    Vec<T> sums[n];
    CHAINRULE_UNROLL
    for (int j = 0; j < n; ++j) sums[j] = Vec<T>{};
    const auto step = [&](ptrdiff_t r, auto read) __attribute__((always_inline)) {
        Vec<T> left[Height], right[Width];
        CHAINRULE_UNROLL
        for (int i = 0; i < Height; ++i) left[i] = read(x[i] + r);
        CHAINRULE_UNROLL
        for (int o = 0; o < Width; ++o) right[o] = read(dy[o] + r);
        CHAINRULE_UNROLL
        for (int j = 0; j < n; ++j) sums[j] = fma<T>(left[j / Width], right[j % Width], sums[j]);
    };
    ptrdiff_t r = 0;
    for (; r + n <= rows; r += n) step(r, [](const T* p) __attribute__((always_inline)) { return load(p); });
    if (r < rows) {
        const Mask<T> tail = first_lanes<T>(rows - r);
        step(r, [&](const T* p) __attribute__((always_inline)) { return select<T>(tail, load(p), Vec<T>{}); });
    }
    return sum_each<T>(sums);
}

// db may be null. It costs nothing where the inputs leave a tile unfilled.
template <class T>
inline void weights_by_dots(const WeightGradient<T>& g, T* db) {
    constexpr int n = lanes<T>, Height = n >= 16 ? 4 : n >= 4 ? 2 : 1, Width = n / Height;
    const bool along = db != nullptr && g.in % Height != 0 && g.rows <= Ones<T>::count;
    for (ptrdiff_t i0 = 0; i0 < g.in; i0 += Height) {
        for (ptrdiff_t o0 = 0; o0 < g.out; o0 += Width) {
            const ptrdiff_t height = g.in - i0 < Height ? g.in - i0 : Height;
            const ptrdiff_t width = g.out - o0 < Width ? g.out - o0 : Width;
            const T *x[Height], *dy[Width];
            CHAINRULE_UNROLL
            for (int i = 0; i < Height; ++i) x[i] = i < height ? g.x + (i0 + i) * g.ldx : ones<T>.of;
            CHAINRULE_UNROLL
            for (int o = 0; o < Width; ++o) dy[o] = g.dy + (o0 + (o < width ? o : 0)) * g.ldy;
            if (height < Height && !along) {
                CHAINRULE_UNROLL
                for (int i = 1; i < Height; ++i) x[i] = i < height ? x[i] : x[0];
            }
            Vec<T> sums = dot_tile<T, Height, Width>(x, dy, g.rows);
            CHAINRULE_UNROLL
            for (int i = 0; i <= Height; ++i) {
                T* to = i < height ? g.dW + (i0 + i) * g.lddw : db;
                if (i > height || (i == height && (!along || height == Height))) break;
                CHAINRULE_UNROLL
                for (int o = 0; o < Width; ++o) {
                    if (o < width) to[o0 + o] = g.accumulate ? to[o0 + o] + sums[o] : sums[o];
                }
                sums = rotate<T, Width>(sums, std::make_index_sequence<lanes<T>>{});
            }
        }
    }
    if (db != nullptr && !along) sum_rows<T>(g.out, g.rows, g.dy, g.ldy, db, g.accumulate);
}

// At most a block of outputs for a vector of inputs: transposed within blocks only, then stored block by block.
template <class T>
CHAINRULE_INLINE void store_narrow(const T* tile, ptrdiff_t ldt, ptrdiff_t inputs, ptrdiff_t outputs, T* dW, ptrdiff_t lddw,
                                   bool accumulate) {
    constexpr int n = lanes<T>, width = block_lanes<T>;
    using Block = typename VectorType<T, 16>::unaligned;
    Vec<T> v[width];
    CHAINRULE_UNROLL
    for (int j = 0; j < width; ++j) v[j] = j < outputs ? load(tile + j * ldt) : Vec<T>{};
    CHAINRULE_UNROLL
    for (int j = 0; j < width; j += 2) interleave_pair<T, 1>(v[j], v[j + 1]);
    if constexpr (width == 4) {
        interleave_pair<T, 2>(v[0], v[2]);
        interleave_pair<T, 2>(v[1], v[3]);
        swap<T>(v[1], v[2]);
    }
    alignas(vector_bytes) T held[width * n];
    CHAINRULE_UNROLL
    for (int j = 0; j < width; ++j) store(held + j * n, v[j]);
    for (ptrdiff_t i = 0; i < inputs; ++i) {
        const T* from = held + i % width * n + i / width * width;
        T* to = dW + i * lddw;
        if (outputs == width) {
            const Block sum = *reinterpret_cast<const Block*>(from);
            *reinterpret_cast<Block*>(to) = accumulate ? *reinterpret_cast<const Block*>(to) + sum : sum;
        } else {
            for (ptrdiff_t o = 0; o < outputs; ++o) to[o] = accumulate ? to[o] + from[o] : from[o];
        }
    }
}

// Adds to (or writes) dW[input][output] a tile of sums held [output][input].
template <class T>
inline void store_transposed(const T* tile, ptrdiff_t ldt, ptrdiff_t inputs, ptrdiff_t outputs, T* dW, ptrdiff_t lddw,
                             bool accumulate) {
    constexpr int n = lanes<T>;
    for (ptrdiff_t i = 0; i < inputs; i += n) {
        const ptrdiff_t height = inputs - i < n ? inputs - i : n;
        for (ptrdiff_t o = 0; o < outputs; o += n) {
            const ptrdiff_t width = outputs - o < n ? outputs - o : n;
            const T* from = tile + o * ldt + i;
            T* to = dW + i * lddw + o;
            if (width <= block_lanes<T>) {
                store_narrow(from, ldt, height, width, to, lddw, accumulate);
                continue;
            }
            Vec<T> v[n];
            CHAINRULE_UNROLL
            for (int j = 0; j < n; ++j) v[j] = j < width ? load(from + j * ldt) : Vec<T>{};
            transpose<T>(v);
            CHAINRULE_UNROLL
            for (int j = 0; j < n; ++j) {
                if (j < height) put_first<T>(to + j * lddw, v[j], width, accumulate);
            }
        }
    }
}

// x[first ... first + width][r0 ... r0 + rows] to xr[r][0 ... width], zeros where there is no unit.
template <class T>
inline void to_row_major(const WeightGradient<T>& g, ptrdiff_t first, ptrdiff_t width, ptrdiff_t r0, ptrdiff_t rows, T* xr,
                         ptrdiff_t ldxr) {
    constexpr int n = lanes<T>;
    for (ptrdiff_t i = 0; i < width; i += n) {
        for (ptrdiff_t r = 0; r < rows; r += n) {
            Vec<T> v[n];
            CHAINRULE_UNROLL
            for (int j = 0; j < n; ++j) {
                const ptrdiff_t unit = first + i + j;
                v[j] = unit < g.in ? load(g.x + unit * g.ldx + r0 + r) : Vec<T>{};
            }
            transpose<T>(v);
            CHAINRULE_UNROLL
            for (int j = 0; j < n; ++j) store(xr + (r + j) * ldxr + i, v[j]);
        }
    }
}

template <class T>
inline void weights_by_features(const WeightGradient<T>& g) {
    constexpr ptrdiff_t n = lanes<T>, widest = most_vectors * n, chunk = 256, most_outputs = 48;
    alignas(64) T row_major[chunk * widest];
    alignas(64) T tile[most_outputs * widest];
    in_parts((g.in + n - 1) / n, most_vectors, [&](ptrdiff_t first, ptrdiff_t vectors) __attribute__((always_inline)) {
        const ptrdiff_t inputs = g.in - first * n < vectors * n ? g.in - first * n : vectors * n;
        for (ptrdiff_t r = 0; r < g.rows; r += chunk) {
            const ptrdiff_t rows = g.rows - r < chunk ? g.rows - r : chunk;
            const T* x = g.xr + r * g.ldxr + first * n;
            ptrdiff_t ldx = g.ldxr;
            if (g.xr == nullptr) {
                to_row_major(g, first * n, vectors * n, r, rows, row_major, widest);
                x = row_major;
                ldx = widest;
            }
            in_parts(g.out, most_outputs, [&](ptrdiff_t o, ptrdiff_t outputs) __attribute__((always_inline)) {
                product<T, Along::k>({rows, g.dy + o * g.ldy + r, g.ldy, x, ldx, tile, widest, nullptr, false, g.prefetch}, outputs,
                                     vectors);
                store_transposed(tile, widest, inputs, outputs, g.dW + first * n * g.lddw + o, g.lddw, g.accumulate || r > 0);
            });
        }
    });
}

}  // namespace chainrule::CHAINRULE_ISA
