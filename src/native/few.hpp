// A very small layer over few rows, where the ways of panel.hpp and weights.hpp would pay for tiles that are mostly empty.
// Its gradient: every product x[i] dy[o] in a vector of its own, then all their sums across lanes at once.
#pragma once

#include "weights.hpp"

namespace chainrule::CHAINRULE_ISA {

// Whether rows fit in one vector and weights are so few that choosing a tile would take longer than the product.
template <class T>
CHAINRULE_INLINE bool is_small(ptrdiff_t in, ptrdiff_t out, ptrdiff_t rows) {
    return rows <= lanes<T> && in * out <= 2 * lanes<T>;
}

// y[o] = after(sum over i of W[i][o] x[i], + bias[o]): panel()'s operations in its order, so its bits. Where is_small.
template <class T, class After>
CHAINRULE_INLINE void forward_of_few(ptrdiff_t in, ptrdiff_t out, const T* W, ptrdiff_t ldw, const T* bias, const T* x,
                                     ptrdiff_t ldx, T* y, ptrdiff_t ldy, After after) {
    for (ptrdiff_t o = 0; o < out; ++o) {
        Vec<T> sum{};
        for (ptrdiff_t i = 0; i < in; ++i) sum = fma<T>(broadcast<T>(W[i * ldw + o]), load(x + i * ldx), sum);
        sum += Vec<T>{};
        if (bias != nullptr) sum += bias[o];
        store(y + o * ldy, after(sum));
    }
}

// dx[i] (+)= sum over o of W[i][o] dy[o], likewise.
template <class T>
CHAINRULE_INLINE void backward_of_few(ptrdiff_t in, ptrdiff_t out, const T* W, ptrdiff_t ldw, const T* dy, ptrdiff_t ldy, T* dx,
                                      ptrdiff_t ldx, bool accumulate) {
    for (ptrdiff_t i = 0; i < in; ++i) {
        Vec<T> sum{};
        for (ptrdiff_t o = 0; o < out; ++o) sum = fma<T>(broadcast<T>(W[i * ldw + o]), load(dy + o * ldy), sum);
        sum += Vec<T>{};
        store(dx + i * ldx, accumulate ? sum + load(dx + i * ldx) : sum);
    }
}

// Lane i of the result is the sum of all lanes of v[i]; of all, or of the first few alone (the others are not read).
template <class T>
CHAINRULE_INLINE Vec<T> sum_first(Vec<T> (&v)[lanes<T>], ptrdiff_t count) {
    constexpr int n = lanes<T>, few = block_lanes<T>;
    if (count > few) {
        CHAINRULE_UNROLL
        for (int j = few; j < n; ++j) v[j] = j < count ? v[j] : Vec<T>{};
        return sum_each<T>(v);
    }
    CHAINRULE_UNROLL
    for (int j = 1; j < few; ++j) v[j] = j < count ? v[j] : Vec<T>{};
    interleave_pair<T, 1>(v[0], v[1]);
    Vec<T> sum = v[0] + v[1];
    if constexpr (few == 4) {
        interleave_pair<T, 1>(v[2], v[3]);
        Vec<T> other = v[2] + v[3];
        interleave_pair<T, 2>(sum, other);
        sum += other;
    }
    using All = std::make_index_sequence<n>;  // every block holds a part of each sum
    if constexpr (n >= 4 * few) sum += rotate<T, 2 * few>(sum, All{});
    if constexpr (n >= 2 * few) sum += rotate<T, few>(sum, All{});
    return sum;
}

template <class T>
CHAINRULE_INLINE bool are_few(const WeightGradient<T>& g, const T* db) {
    return g.rows <= 2 * lanes<T> && (g.in + (db != nullptr)) * g.out <= 2 * lanes<T> && g.lddw == g.out;
}

// dW = x dy^T and db = sums of dy, or += both, where are_few.
template <class T>
inline void weights_of_few(const WeightGradient<T>& g, T* db) {
    constexpr int n = lanes<T>;
    const ptrdiff_t weights = g.in * g.out, sums = weights + (db != nullptr ? g.out : 0);
    const ptrdiff_t first = g.rows < n ? g.rows : n;
    const Mask<T> head = first_lanes<T>(first), tail = first_lanes<T>(g.rows - first);
    alignas(vector_bytes) T held[3 * n];
    ptrdiff_t i = 0, o = 0;
    for (ptrdiff_t begin = 0; begin < sums; begin += n) {
        const ptrdiff_t count = sums - begin < n ? sums - begin : n;
        Vec<T> v[n];
        for (ptrdiff_t j = 0; j < count; ++j) {
            const T *x = i < g.in ? g.x + i * g.ldx : ones<T>.of, *dy = g.dy + o * g.ldy;
            v[j] = select<T>(head, load(x) * load(dy), Vec<T>{});
            if (g.rows > n) v[j] += select<T>(tail, load(x + n) * load(dy + n), Vec<T>{});
            if (++o == g.out) {
                o = 0;
                ++i;
            }
        }
        store_aligned(held + begin, sum_first<T>(v, count));
    }
    for (ptrdiff_t j = 0; j < weights; j += n) {
        put_first<T>(g.dW + j, load(held + j), weights - j < n ? weights - j : n, g.accumulate);
    }
    for (ptrdiff_t j = weights; j < sums; j += n) {
        put_first<T>(db + j - weights, load(held + j), sums - j < n ? sums - j : n, g.accumulate);
    }
}

}  // namespace chainrule::CHAINRULE_ISA
