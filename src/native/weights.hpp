// The gradient of a layer's weights: dW[i][o] = sum over rows of x[i][r] dy[o][r].
//
// Two ways, by shapes alone. By dots: rows in lanes, a sum across lanes for every weight; for small layers. By outputs:
// lanes over units of dy, values of x broadcast, no sum across lanes, and rows left out where all inputs of a group are
// zero; for the rest.
#pragma once

#include "nonzero.hpp"
#include "transpose.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T>
struct WeightGradient {
    ptrdiff_t in, out, rows;
    const T* x;
    ptrdiff_t ldx;
    const T* dy;
    ptrdiff_t ldy;
    T* dW;
    ptrdiff_t lddw;
    bool accumulate;
    Prefetch* prefetch;
    const Nonzero* nonzero;  // what is known of x, or null
};

// Estimated half cycles, from measurements with AVX-512: a sum across lanes costs about 2 cycles, a value laid apart half
// of one, a group of inputs 40 beside its sums, the whole way by outputs 200.
template <class T>
CHAINRULE_INLINE bool prefer_dots(const WeightGradient<T>& g) {
    constexpr ptrdiff_t n = lanes<T>, few = short_bytes / static_cast<ptrdiff_t>(sizeof(T));
    const ptrdiff_t vectors = (g.rows + n - 1) / n;
    return 2 * g.in * g.out * (vectors + 2) < (g.in + 2) * g.rows * ((g.out + few - 1) / few) + g.rows * g.out + 20 * g.in + 400;
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

// db[o] = sum over rows of dy[o][r], or of dy[o][r] times by[r].
template <class T, bool Weighted = false>
inline void sum_rows(ptrdiff_t out, ptrdiff_t rows, const T* dy, ptrdiff_t ldy, T* db, bool accumulate, const T* by = nullptr) {
    constexpr int n = lanes<T>;
    const ptrdiff_t full = rows / n * n;
    const Mask<T> tail = first_lanes<T>(rows - full);
    const auto read = [&](const T* row, ptrdiff_t r) __attribute__((always_inline)) {
        return Weighted ? load(row + r) * load(by + r) : load(row + r);
    };
    for (ptrdiff_t begin = 0; begin < out; begin += n) {
        const ptrdiff_t count = out - begin < n ? out - begin : n;
        Vec<T> sums[n];
        CHAINRULE_UNROLL
        for (int j = 0; j < n; ++j) {
            const T* row = dy + (begin + (j < count ? j : 0)) * ldy;
            Vec<T> sum{};
            for (ptrdiff_t r = 0; r < full; r += n) sum += read(row, r);
            if (full < rows) sum += select<T>(tail, read(row, full), Vec<T>{});
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

// Adds to (or writes) the first `width` values at `to`, Most at most.
template <class T, int Most>
CHAINRULE_INLINE void put_few(T* to, Vec<T> v, ptrdiff_t width, bool accumulate) {
    if (width == Most) {
        using Some = typename VectorType<T, Most * static_cast<int>(sizeof(T))>::unaligned;
        const Some first = half<0>(v, std::make_index_sequence<Most>{});
        Some& all = *reinterpret_cast<Some*>(to);
        all = accumulate ? all + first : first;
        return;
    }
    CHAINRULE_UNROLL
    for (int o = 0; o < Most; ++o) {
        if (o < width) to[o] = accumulate ? to[o] + v[o] : v[o];
    }
}

// One tile of sums over rows of x[i] dy[o]: of lanes / Width inputs a vector, in lane i * Width + o.
template <class T, int Height, int Width>
CHAINRULE_INLINE void dot_tile(const T* const (&x)[Height], const T* const (&dy)[Width], ptrdiff_t rows,
                               Vec<T> (&out)[Height * Width / lanes<T>]) {
    constexpr int n = lanes<T>, vectors = Height * Width / n;
    Vec<T> sums[vectors][n];
    CHAINRULE_UNROLL
    for (int v = 0; v < vectors; ++v) {
        CHAINRULE_UNROLL
        for (int j = 0; j < n; ++j) sums[v][j] = Vec<T>{};
    }
    const auto step = [&](ptrdiff_t r, auto read) __attribute__((always_inline)) {
        Vec<T> right[Width];
        CHAINRULE_UNROLL
        for (int o = 0; o < Width; ++o) right[o] = read(dy[o] + r);
        CHAINRULE_UNROLL
        for (int i = 0; i < Height; ++i) {
            const Vec<T> left = read(x[i] + r);
            CHAINRULE_UNROLL
            for (int o = 0; o < Width; ++o) {
                Vec<T>& sum = sums[(i * Width + o) / n][(i * Width + o) % n];
                sum = fma<T>(left, right[o], sum);
            }
        }
    };
    ptrdiff_t r = 0;
    for (; r + n <= rows; r += n) step(r, [](const T* p) __attribute__((always_inline)) { return load(p); });
    if (r < rows) {
        const Mask<T> tail = first_lanes<T>(rows - r);
        step(r, [&](const T* p) __attribute__((always_inline)) { return select<T>(tail, load(p), Vec<T>{}); });
    }
    CHAINRULE_UNROLL
    for (int v = 0; v < vectors; ++v) out[v] = sum_each<T>(sums[v]);
}

// db may be null. It costs nothing where the inputs leave a tile unfilled.
template <class T>
inline void weights_by_dots(const WeightGradient<T>& g, T* db) {
    if (g.out == 1 && g.lddw == 1) {
        sum_rows<T, true>(g.in, g.rows, g.x, g.ldx, g.dW, g.accumulate, g.dy);
        if (db != nullptr) sum_rows<T>(1, g.rows, g.dy, g.ldy, db, g.accumulate);
        return;
    }
    constexpr int n = lanes<T>, Width = n >= 8 ? 4 : 2, together = n / Width;
    constexpr int Height = vector_registers >= 32 ? 4 : together;
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
            Vec<T> sums[Height * Width / n];
            dot_tile<T, Height, Width>(x, dy, g.rows, sums);
            CHAINRULE_UNROLL
            for (int i = 0; i < Height; ++i) {
                T* to = i < height ? g.dW + (i0 + i) * g.lddw : db;
                if (i > height || (i == height && !along)) break;
                Vec<T>& own = sums[i / together];
                put_few<T, Width>(to + o0, own, width, g.accumulate);
                own = rotate<T, Width>(own, std::make_index_sequence<lanes<T>>{});
            }
        }
    }
    if (db != nullptr && !along) sum_rows<T>(g.out, g.rows, g.dy, g.ldy, db, g.accumulate);
}

// What weights_by_outputs adds up in one go: dy of some rows and outputs, rows apart, for all inputs.
template <class T>
struct OutputTile {
    const T* dy;  // dy[r * ldy + o]
    ptrdiff_t ldy, first_row, rows, first_output, outputs;
    bool nonzero_rows_only;
};

// Sums of Height inputs times Width vectors of outputs are held in registers; one value of x is broadcast for each row.
template <class T, int Bytes, int Height, int Width>
void weights_tile(const WeightGradient<T>& g, const OutputTile<T>& t) {
    using V = typename VectorType<T, Bytes>::type;
    using Unaligned = typename VectorType<T, Bytes>::unaligned;
    constexpr ptrdiff_t n = Bytes / static_cast<ptrdiff_t>(sizeof(T));
    Fetch fetch(*g.prefetch);
    const ptrdiff_t ldy = t.ldy;
    const T* const first_dy = t.dy - t.first_row * ldy;
    const ptrdiff_t end = t.first_row + t.rows, rest = t.outputs - (Width - 1) * n;
    const bool accumulate = g.accumulate || t.first_row > 0;
    for (ptrdiff_t i = 0; i < g.in; i += Height) {
        const ptrdiff_t inputs = g.in - i < Height ? g.in - i : Height;
        const T* x[Height];
        CHAINRULE_UNROLL
        for (int h = 0; h < Height; ++h) x[h] = g.x + (i + (h < inputs ? h : 0)) * g.ldx;
        V sum[Height][Width];
        CHAINRULE_UNROLL
        for (int h = 0; h < Height; ++h) {
            CHAINRULE_UNROLL
            for (int v = 0; v < Width; ++v) sum[h][v] = V{};
        }
        const auto step = [&](ptrdiff_t r) __attribute__((always_inline)) {
            fetch.next();
            const T* dy = first_dy + r * ldy;
            V row[Width];
            CHAINRULE_UNROLL
            for (int v = 0; v < Width; ++v) row[v] = *reinterpret_cast<const Unaligned*>(dy + v * n);
            CHAINRULE_UNROLL
            for (int h = 0; h < Height; ++h) {
                V value = x[h][r] - V{};
                CHAINRULE_KEEP(value);  // one load for all vectors
                CHAINRULE_UNROLL
                for (int v = 0; v < Width; ++v) sum[h][v] = value * row[v] + sum[h][v];
            }
        };
        if (t.nonzero_rows_only) {
            const std::uint64_t* bits = g.nonzero->rows + i / features_together * g.nonzero->row_words;
            each_word(bits, t.first_row, end, [&](std::uint64_t word, ptrdiff_t at) __attribute__((always_inline)) {
                for (; word != 0; word &= word - 1) step(at + __builtin_ctzll(word));
            });
        } else {
            for (ptrdiff_t r = t.first_row; r < end; ++r) step(r);
        }
        const auto put = [&](int h, bool accumulate) __attribute__((always_inline)) {
            T* to = g.dW + (i + h) * g.lddw + t.first_output;
            CHAINRULE_UNROLL
            for (int v = 0; v < Width; ++v) {  // only the last may be partly filled
                // + 0: no -0 from what became too small, so that leaving out zeros changes no bit
                put_some<T, Bytes>(to + v * n, sum[h][v] + V{}, v + 1 < Width ? n : rest, accumulate);
            }
        };
        if (inputs < Height) {
            CHAINRULE_UNROLL
            for (int h = 0; h < Height; ++h) {
                if (h < inputs) put(h, accumulate);
            }
        } else if (accumulate) {
            CHAINRULE_UNROLL
            for (int h = 0; h < Height; ++h) put(h, true);
        } else {
            CHAINRULE_UNROLL
            for (int h = 0; h < Height; ++h) put(h, false);
        }
    }
}

template <class T>
using TileFunction = void (*)(const WeightGradient<T>&, const OutputTile<T>&);

inline constexpr int short_vectors = vector_registers >= 32 ? 6 : vector_bytes == 32 ? 3 : 2, long_vectors = vector_registers >= 32 ? 4 : short_vectors;

template <class T, int Bytes, int Most>
struct TileTable {
    TileFunction<T> of[Most];

    template <int... V>
    constexpr void fill(std::integer_sequence<int, V...>) {
        ((of[V] = weights_tile<T, Bytes, features_together, V + 1>), ...);
    }
    constexpr TileTable() : of{} { fill(std::make_integer_sequence<int, Most>{}); }
};
template <class T>
inline constexpr TileTable<T, short_bytes, short_vectors> short_tiles{};
template <class T>
inline constexpr TileTable<T, vector_bytes, long_vectors> long_tiles{};

// to[r * ldt + o] = dy[first + o][r0 + r]. Returns whether all of it is finite.
template <class T>
inline bool rows_apart(const WeightGradient<T>& g, ptrdiff_t first, ptrdiff_t outputs, ptrdiff_t r0, ptrdiff_t rows, T* to, ptrdiff_t ldt) {
    constexpr int n = lanes<T>;
    Vec<T> trouble{};
    for (ptrdiff_t o = 0; o < outputs; o += n) {
        for (ptrdiff_t r = 0; r < rows; r += n) {
            const Mask<T> there = first_lanes<T>(rows - r < n ? rows - r : n);
            Vec<T> v[n];
            CHAINRULE_UNROLL
            for (int j = 0; j < n; ++j) {
                v[j] = o + j < outputs ? select<T>(there, load(g.dy + (first + o + j) * g.ldy + r0 + r), Vec<T>{}) : Vec<T>{};
                trouble = fma<T>(v[j], Vec<T>{}, trouble);
            }
            transpose<T>(v);
            CHAINRULE_UNROLL
            for (int j = 0; j < n; ++j) store(to + (r + j) * ldt + o, v[j]);
        }
    }
    return !any<T>(trouble != trouble);
}

template <class T>
inline void weights_by_outputs(const WeightGradient<T>& g) {
    constexpr ptrdiff_t n = lanes<T>, chunk = 128, few = short_bytes / static_cast<ptrdiff_t>(sizeof(T));
    constexpr ptrdiff_t widest = long_vectors * n > short_vectors * few ? long_vectors * n : short_vectors * few;
    alignas(64) T dy[chunk * round_up(widest, n)];
    const bool narrow = g.out <= short_vectors * few;
    const ptrdiff_t width = narrow ? few : n;
    in_parts((g.out + width - 1) / width, narrow ? short_vectors : long_vectors, [&](ptrdiff_t first, ptrdiff_t vectors) __attribute__((always_inline)) {
        const ptrdiff_t o = first * width, outputs = g.out - o < vectors * width ? g.out - o : vectors * width;
        const ptrdiff_t ldt = round_up(outputs, n);
        for (ptrdiff_t r = 0; r < g.rows; r += chunk) {
            const ptrdiff_t rows = g.rows - r < chunk ? g.rows - r : chunk;
            const bool finite = rows_apart(g, o, outputs, r, rows, dy, ldt);
            const OutputTile<T> tile{dy, ldt, r, rows, o, outputs, finite && g.nonzero != nullptr};
            const auto& tiles = narrow ? short_tiles<T>.of[vectors - 1] : long_tiles<T>.of[vectors - 1];
            tiles(g, tile);
        }
    });
}

}  // namespace chainrule::CHAINRULE_ISA
