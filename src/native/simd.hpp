// Vectors of one instruction set, by GCC/Clang vector extensions.
//
// A translation unit picks its set by compiler flags and names it with -DCHAINRULE_ISA=avx512 (avx2,
// baseline): all that follows lives in that namespace, so several sets fit into one program.
// Nothing here or in the kernels calls inline functions of the standard library: the linker would keep
// one copy of each, perhaps the one with instructions that the machine at hand does not have.
#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

#ifndef CHAINRULE_ISA
#define CHAINRULE_ISA baseline
#endif

#if defined(__AVX512F__) && defined(__AVX512DQ__) && defined(__AVX512BW__) && defined(__AVX512VL__)
#define CHAINRULE_VECTOR_BYTES 64
#define CHAINRULE_VECTOR_REGISTERS 32
#elif defined(__AVX2__)
#define CHAINRULE_VECTOR_BYTES 32
#define CHAINRULE_VECTOR_REGISTERS 16
#else
#define CHAINRULE_VECTOR_BYTES 16
#if defined(__aarch64__)
#define CHAINRULE_VECTOR_REGISTERS 32
#else
#define CHAINRULE_VECTOR_REGISTERS 16
#endif
#endif

#define CHAINRULE_INLINE inline __attribute__((always_inline))
#define CHAINRULE_UNROLL _Pragma("GCC unroll 64")

// A value that compilers must hold in a register, not read again at every use.
#if defined(__AVX512F__)
#define CHAINRULE_KEEP(value) __asm__("" : "+v"(value))
#elif defined(__x86_64__)
#define CHAINRULE_KEEP(value) __asm__("" : "+x"(value))
#elif defined(__aarch64__)
#define CHAINRULE_KEEP(value) __asm__("" : "+w"(value))
#else
#define CHAINRULE_KEEP(value) static_cast<void>(value)
#endif

namespace chainrule::CHAINRULE_ISA {

using std::ptrdiff_t;

template <class T, int Bytes>
struct VectorType {
    typedef T type __attribute__((vector_size(Bytes)));
    typedef T unaligned __attribute__((vector_size(Bytes), aligned(sizeof(T)), may_alias));
};

template <class T>
struct IntegerOf;
template <>
struct IntegerOf<float> {
    using type = std::int32_t;
};
template <>
struct IntegerOf<double> {
    using type = std::int64_t;
};
template <class T>
using Integer = typename IntegerOf<T>::type;

inline constexpr int vector_bytes = CHAINRULE_VECTOR_BYTES;
inline constexpr int vector_registers = CHAINRULE_VECTOR_REGISTERS;

template <class T>
inline constexpr int lanes = vector_bytes / static_cast<int>(sizeof(T));

template <class T>
using Vec = typename VectorType<T, vector_bytes>::type;
// The integers of the same width: comparisons yield these, all ones where true.
template <class T>
using Mask = Vec<Integer<T>>;

template <class T>
CHAINRULE_INLINE Vec<T> load(const T* p) {
    return *reinterpret_cast<const typename VectorType<T, vector_bytes>::unaligned*>(p);
}

template <class T>
CHAINRULE_INLINE void store(T* p, Vec<T> v) {
    *reinterpret_cast<typename VectorType<T, vector_bytes>::unaligned*>(p) = v;
}

// Lets the compiler use the aligned instructions, which older sets can fold into arithmetic.
template <class T>
CHAINRULE_INLINE Vec<T> load_aligned(const T* p) {
    return load(static_cast<const T*>(__builtin_assume_aligned(p, vector_bytes)));
}

template <class T>
CHAINRULE_INLINE void store_aligned(T* p, Vec<T> v) {
    store(static_cast<T*>(__builtin_assume_aligned(p, vector_bytes)), v);
}

template <class T>
CHAINRULE_INLINE Vec<T> broadcast(T value) {
    return value - Vec<T>{};
}

template <class T>
CHAINRULE_INLINE Mask<T> bits(Vec<T> v) {
    return reinterpret_cast<Mask<T>>(v);
}

template <class T>
CHAINRULE_INLINE Vec<T> from_bits(Mask<T> m) {
    return reinterpret_cast<Vec<T>>(m);
}

// Sums and differences of bit patterns, which may wrap around.
template <class T>
CHAINRULE_INLINE Mask<T> wrapping_add(Mask<T> a, Mask<T> b) {
    using Unsigned = Vec<std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>;
    return reinterpret_cast<Mask<T>>(reinterpret_cast<Unsigned>(a) + reinterpret_cast<Unsigned>(b));
}

template <class T>
CHAINRULE_INLINE Mask<T> integers(Integer<T> value) {
    return value - Mask<T>{};
}

template <class T>
CHAINRULE_INLINE Vec<T> select(Mask<T> where, Vec<T> yes, Vec<T> no) {
    return where ? yes : no;
}

// One rounding where the set has the instruction, two elsewhere; needs -ffp-contract=fast.
template <class T>
CHAINRULE_INLINE Vec<T> fma(Vec<T> a, Vec<T> b, Vec<T> c) {
    return a * b + c;
}

// As NumPy's maximum and minimum: a NaN on either side comes through.
template <class T>
CHAINRULE_INLINE Vec<T> maximum(Vec<T> a, Vec<T> b) {
    return ((a > b) | (a != a)) ? a : b;
}

template <class T>
CHAINRULE_INLINE Vec<T> minimum(Vec<T> a, Vec<T> b) {
    return ((a < b) | (a != a)) ? a : b;
}

// One instruction; b where either side is a NaN.
template <class T>
CHAINRULE_INLINE Vec<T> larger(Vec<T> a, Vec<T> b) {
    return a > b ? a : b;
}

template <class T>
CHAINRULE_INLINE Vec<T> smaller(Vec<T> a, Vec<T> b) {
    return a < b ? a : b;
}

template <class T>
CHAINRULE_INLINE Vec<T> absolute(Vec<T> v) {
    constexpr Integer<T> magnitude = static_cast<Integer<T>>(~(std::uint64_t{1} << 63) >> (sizeof(T) == 4 ? 32 : 0));
    return from_bits<T>(bits<T>(v) & magnitude);
}

template <class T>
CHAINRULE_INLINE Vec<T> copy_sign(Vec<T> magnitude, Vec<T> sign) {
    constexpr Integer<T> top = static_cast<Integer<T>>(std::uint64_t{1} << (8 * sizeof(T) - 1));
    return from_bits<T>((bits<T>(magnitude) & ~top) | (bits<T>(sign) & top));
}

template <class T>
CHAINRULE_INLINE Vec<T> square_root(Vec<T> v) {
    Vec<T> r;
    CHAINRULE_UNROLL
    for (int i = 0; i < lanes<T>; ++i) r[i] = sizeof(T) == 4 ? __builtin_sqrtf(v[i]) : __builtin_sqrt(v[i]);
    return r;
}

// All ones in the first `count` lanes.
template <class T>
CHAINRULE_INLINE Mask<T> first_lanes(ptrdiff_t count) {
    Mask<T> index;
    CHAINRULE_UNROLL
    for (int i = 0; i < lanes<T>; ++i) index[i] = i;
    return index < static_cast<Integer<T>>(count);
}

// Loads `count` < lanes values, zeros behind them; touches no memory behind them.
template <class T>
CHAINRULE_INLINE Vec<T> load_first(const T* p, ptrdiff_t count) {
#if CHAINRULE_VECTOR_BYTES == 64
    if constexpr (sizeof(T) == 4) {
        return reinterpret_cast<Vec<T>>(_mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), p));
    } else {
        return reinterpret_cast<Vec<T>>(_mm512_maskz_loadu_pd(static_cast<__mmask8>((1u << count) - 1), p));
    }
#elif CHAINRULE_VECTOR_BYTES == 32
    const __m256i mask = reinterpret_cast<__m256i>(first_lanes<T>(count));
    if constexpr (sizeof(T) == 4) {
        return reinterpret_cast<Vec<T>>(_mm256_maskload_ps(p, mask));
    } else {
        return reinterpret_cast<Vec<T>>(_mm256_maskload_pd(p, mask));
    }
#else
    Vec<T> v{};
    for (ptrdiff_t i = 0; i < count; ++i) v[i] = p[i];
    return v;
#endif
}

template <class T>
CHAINRULE_INLINE void store_first(T* p, Vec<T> v, ptrdiff_t count) {
#if CHAINRULE_VECTOR_BYTES == 64
    if constexpr (sizeof(T) == 4) {
        _mm512_mask_storeu_ps(p, static_cast<__mmask16>((1u << count) - 1), reinterpret_cast<__m512>(v));
    } else {
        _mm512_mask_storeu_pd(p, static_cast<__mmask8>((1u << count) - 1), reinterpret_cast<__m512d>(v));
    }
#elif CHAINRULE_VECTOR_BYTES == 32
    const __m256i mask = reinterpret_cast<__m256i>(first_lanes<T>(count));
    if constexpr (sizeof(T) == 4) {
        _mm256_maskstore_ps(p, mask, reinterpret_cast<__m256>(v));
    } else {
        _mm256_maskstore_pd(p, mask, reinterpret_cast<__m256d>(v));
    }
#else
    for (ptrdiff_t i = 0; i < count; ++i) p[i] = v[i];
#endif
}

// Vectors for sums over few outputs: short ones waste fewer lanes.
inline constexpr int short_bytes = vector_bytes < 32 ? vector_bytes : 32;

// Adds to (or writes) the first `count` values at `to` from a vector of `Bytes`.
template <class T, int Bytes>
CHAINRULE_INLINE void put_some(T* to, typename VectorType<T, Bytes>::type v, ptrdiff_t count, bool accumulate) {
    using Unaligned = typename VectorType<T, Bytes>::unaligned;
    if (count >= Bytes / static_cast<ptrdiff_t>(sizeof(T))) {
        Unaligned& all = *reinterpret_cast<Unaligned*>(to);
        all = accumulate ? all + v : v;
    } else if constexpr (Bytes == vector_bytes) {
        store_first<T>(to, accumulate ? load_first<T>(to, count) + v : v, count);
    } else {
#if CHAINRULE_VECTOR_BYTES == 64
        const __mmask8 some = static_cast<__mmask8>((1u << count) - 1);
        if constexpr (sizeof(T) == 4) {
            __m256 sum = reinterpret_cast<__m256>(v);
            if (accumulate) sum += _mm256_maskz_loadu_ps(some, to);
            _mm256_mask_storeu_ps(to, some, sum);
        } else {
            __m256d sum = reinterpret_cast<__m256d>(v);
            if (accumulate) sum += _mm256_maskz_loadu_pd(some, to);
            _mm256_mask_storeu_pd(to, some, sum);
        }
#endif
    }
}

// Bit i is set where a bit of lane i is: where a number is anything but +0.
template <class T>
CHAINRULE_INLINE std::uint64_t nonzero_lanes(Mask<T> v) {
#if CHAINRULE_VECTOR_BYTES == 64
    const __m512i words = reinterpret_cast<__m512i>(v);
    if constexpr (sizeof(T) == 4) {
        return _mm512_test_epi32_mask(words, words);
    } else {
        return _mm512_test_epi64_mask(words, words);
    }
#elif CHAINRULE_VECTOR_BYTES == 32
    const Mask<T> differs = v != Mask<T>{};
    if constexpr (sizeof(T) == 4) {
        return static_cast<unsigned>(_mm256_movemask_ps(reinterpret_cast<__m256>(differs)));
    } else {
        return static_cast<unsigned>(_mm256_movemask_pd(reinterpret_cast<__m256d>(differs)));
    }
#else
    std::uint64_t found = 0;
    CHAINRULE_UNROLL
    for (int i = 0; i < lanes<T>; ++i) found |= static_cast<std::uint64_t>(v[i] != 0) << i;
    return found;
#endif
}

// The lower (Part 0) or the upper (Part 1) half of a vector.
template <int Part, class V, std::size_t... I>
CHAINRULE_INLINE auto half(V v, std::index_sequence<I...>) {
    return __builtin_shufflevector(v, v, (static_cast<int>(I) + Part * static_cast<int>(sizeof...(I)))...);
}

// Folds halves onto halves: the same order of operations wherever it is used.
template <int Count, class V, class Combine>
CHAINRULE_INLINE auto fold(V v, Combine combine) {
    if constexpr (Count == 1) {
        return v[0];
    } else if constexpr (Count == 2) {
        return combine(v[0], v[1]);
    } else {
        using Half = std::make_index_sequence<Count / 2>;
        return fold<Count / 2>(combine(half<0>(v, Half{}), half<1>(v, Half{})), combine);
    }
}

template <class T>
CHAINRULE_INLINE T horizontal_sum(Vec<T> v) {
    return fold<lanes<T>>(v, [](auto a, auto b) __attribute__((always_inline)) { return a + b; });
}

template <class T>
CHAINRULE_INLINE T horizontal_maximum(Vec<T> v) {
    return fold<lanes<T>>(v, [](auto a, auto b) __attribute__((always_inline)) { return (a > b) | (a != a) ? a : b; });
}

template <class T>
CHAINRULE_INLINE bool any(Mask<T> m) {
    return fold<lanes<T>>(m, [](auto a, auto b) __attribute__((always_inline)) { return a | b; }) != 0;
}

// Converts `lanes<T>` values of another type, such as bytes.
template <class T, class From>
CHAINRULE_INLINE Vec<T> load_converted(const From* p) {
    if constexpr (sizeof(From) == sizeof(T)) {
        return load(p);
    } else {
        typedef typename VectorType<From, lanes<T> * static_cast<int>(sizeof(From))>::unaligned Source;
        const Source v = *reinterpret_cast<const Source*>(p);
#if CHAINRULE_VECTOR_BYTES == 64  // one instruction where GCC 12 makes eight of the generic form
        if constexpr (sizeof(From) == 1 && sizeof(T) == 4) {
            const __m512i words = _mm512_maskz_cvtepu8_epi32(0xffff, reinterpret_cast<__m128i>(v));
            return __builtin_convertvector(reinterpret_cast<Vec<std::int32_t>>(words), Vec<T>);
        } else if constexpr (sizeof(From) == 4 && sizeof(T) == 8) {
            return reinterpret_cast<Vec<T>>(_mm512_maskz_cvtps_pd(0xff, reinterpret_cast<__m256>(v)));
        }
#elif CHAINRULE_VECTOR_BYTES == 32
        if constexpr (sizeof(From) == 1 && sizeof(T) == 4) {
            return reinterpret_cast<Vec<T>>(
                _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)))));
        }
#endif
        if constexpr (sizeof(From) == 1) {  // step by step: compilers have no direct way from bytes
            const auto wide = __builtin_convertvector(v, typename VectorType<std::uint16_t, 2 * lanes<T>>::type);
            const auto words = __builtin_convertvector(wide, typename VectorType<std::int32_t, 4 * lanes<T>>::type);
            return __builtin_convertvector(words, Vec<T>);
        } else {
            return __builtin_convertvector(v, Vec<T>);
        }
    }
}

CHAINRULE_INLINE constexpr ptrdiff_t round_up(ptrdiff_t value, ptrdiff_t unit) {
    return (value + unit - 1) / unit * unit;
}

}  // namespace chainrule::CHAINRULE_ISA
