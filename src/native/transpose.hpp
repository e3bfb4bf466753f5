// Square transposes in registers, and sums of many vectors at once.
//
// Both go first within blocks of 128 bits, then between blocks: on x86 every exchange is then one
// instruction with an immediate operand, where the textbook's butterfly needs index registers.
#pragma once

#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T>
inline constexpr int block_lanes = 16 / static_cast<int>(sizeof(T));

// Runs of `Run` lanes of a and b alternately, from the lower (Part 0) or upper half of each block.
template <class T, int Run, int Part, std::size_t... I>
CHAINRULE_INLINE Vec<T> interleave(Vec<T> a, Vec<T> b, std::index_sequence<I...>) {
    constexpr auto pick = [](int lane) {
        constexpr int width = block_lanes<T>;
        const int offset = lane % width, second = offset / Run % 2;
        return lane - offset + offset / (2 * Run) * Run + offset % Run + Part * width / 2 + second * lanes<T>;
    };
    return __builtin_shufflevector(a, b, pick(static_cast<int>(I))...);
}

// The even (Part 0) or odd blocks of a, then those of b.
template <class T, int Part, std::size_t... I>
CHAINRULE_INLINE Vec<T> every_other_block(Vec<T> a, Vec<T> b, std::index_sequence<I...>) {
    constexpr auto pick = [](int lane) {
        constexpr int width = block_lanes<T>;
        return (2 * (lane / width) + Part) * width + lane % width;  // runs on from a into b
    };
    return __builtin_shufflevector(a, b, pick(static_cast<int>(I))...);
}

template <class T, int Run>
CHAINRULE_INLINE void interleave_pair(Vec<T>& a, Vec<T>& b) {
    using All = std::make_index_sequence<lanes<T>>;
    const Vec<T> low = interleave<T, Run, 0>(a, b, All{});
    b = interleave<T, Run, 1>(a, b, All{});
    a = low;
}

template <class T>
CHAINRULE_INLINE void separate_pair(Vec<T>& a, Vec<T>& b) {
    using All = std::make_index_sequence<lanes<T>>;
    const Vec<T> even = every_other_block<T, 0>(a, b, All{});
    b = every_other_block<T, 1>(a, b, All{});
    a = even;
}

template <class T>
CHAINRULE_INLINE void swap(Vec<T>& a, Vec<T>& b) {
    const Vec<T> held = a;
    a = b;
    b = held;
}

// v[i][j] <-> v[j][i].
template <class T>
CHAINRULE_INLINE void transpose(Vec<T> (&v)[lanes<T>]) {
    constexpr int n = lanes<T>, width = block_lanes<T>, blocks = n / width;
    CHAINRULE_UNROLL
    for (int i = 0; i < n; i += 2) interleave_pair<T, 1>(v[i], v[i + 1]);
    if constexpr (width == 4) {
        CHAINRULE_UNROLL
        for (int i = 0; i < n; i += 4) {
            interleave_pair<T, 2>(v[i], v[i + 2]);
            interleave_pair<T, 2>(v[i + 1], v[i + 3]);
            swap<T>(v[i + 1], v[i + 2]);
        }
    }
    if constexpr (blocks >= 2) {
        CHAINRULE_UNROLL
        for (int i = 0; i < n; ++i) {
            if (i / width % 2 == 0) separate_pair<T>(v[i], v[i + width]);
        }
    }
    if constexpr (blocks == 4) {
        CHAINRULE_UNROLL
        for (int i = 0; i < width; ++i) {
            separate_pair<T>(v[i], v[i + 2 * width]);
            separate_pair<T>(v[i + width], v[i + 3 * width]);
            swap<T>(v[i + width], v[i + 2 * width]);
        }
        CHAINRULE_UNROLL
        for (int i = 0; i < width; ++i) swap<T>(v[i + width], v[i + 2 * width]);
    }
}

// Halves the number of vectors from `step` apart to twice that.
template <class T, int Step>
CHAINRULE_INLINE void sum_pairs(Vec<T> (&v)[lanes<T>]) {
    CHAINRULE_UNROLL
    for (int i = 0; i < lanes<T>; i += 2 * Step) {
        if constexpr (Step < block_lanes<T>) {
            interleave_pair<T, Step>(v[i], v[i + Step]);
        } else {
            separate_pair<T>(v[i], v[i + Step]);
        }
        v[i] += v[i + Step];
    }
}

// Lane i of the result is the sum of all lanes of v[i].
template <class T>
CHAINRULE_INLINE Vec<T> sum_each(Vec<T> (&v)[lanes<T>]) {
    sum_pairs<T, 1>(v);
    if constexpr (lanes<T> > 2) sum_pairs<T, 2>(v);
    if constexpr (lanes<T> > 4) sum_pairs<T, 4>(v);
    if constexpr (lanes<T> > 8) sum_pairs<T, 8>(v);
    return v[0];
}

}  // namespace chainrule::CHAINRULE_ISA
