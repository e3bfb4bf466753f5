// Elementary functions of whole vectors, within 2 units in the last place of the true value (bounds
// are measured by tests/native/test_kernels.cpp). NaN gives NaN, infinities and zeros as in C,
// results below the normal range as the thread's rounding of denormals says.
//
// Polynomials are minimax fits made for these intervals; reductions follow Cody and Waite, and for the
// logarithm in double precision Sun's fdlibm.
#pragma once

#include "simd.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T>
struct Format;

template <>
struct Format<float> {
    static constexpr int mantissa = 23, bias = 127;
    static constexpr float to_integer = 12582912.0f;  // 1.5 * 2^23: adding it rounds to the nearest integer
    static constexpr std::int32_t to_integer_bits = 0x4b400000;
    static constexpr float ln2_high = 0.693115234375f, ln2_low = 3.19461849453e-05f, log2_e = 1.44269504f;
    static constexpr float exp_low = -104.0f, exp_high = 89.0f, expm1_low = -20.0f;
    static constexpr float exp[] = {0.5f, 0.166665137f, 0.0416664258f, 0.00836951286f, 0.0013938609f};
    static constexpr float expm1[] = {0.5f, 0.166666642f, 0.0416664667f, 0.00833390187f, 0.00139349059f, 0.00019566626f};
    static constexpr float smallest_normal = 1.17549435e-38f, denormal_scale = 33554432.0f;  // 2^25
    static constexpr int denormal_shift = 25;
    static constexpr std::int32_t root_half = 0x3f3504f3;
};

template <>
struct Format<double> {
    static constexpr int mantissa = 52, bias = 1023;
    static constexpr double to_integer = 6755399441055744.0;  // 1.5 * 2^52
    static constexpr std::int64_t to_integer_bits = 0x4338000000000000;
    static constexpr double ln2_high = 0x1.62e42fefp-1, ln2_low = 7.4406171100123967e-11, log2_e = 1.4426950408889634;
    static constexpr double exp_low = -746.0, exp_high = 710.0, expm1_low = -40.0;
    static constexpr double exp[] = {
        0.50000000000000144,    0.16666666666666693,    0.041666666666500748,   0.0083333333333100029,
        0.0013888888951025065,  0.00019841269912342159, 2.4801485623174467e-05, 2.7557220162054495e-06,
        2.7632877395447117e-07, 2.5116795477558476e-08};
    static constexpr double expm1[] = {
        0.5,                    0.16666666666666677,    0.041666666666666602,   0.0083333333333211919,
        0.0013888888888927895,  0.00019841269887680508, 2.4801587229906966e-05, 2.7557242274503874e-06,
        2.7557358337497418e-07, 2.5109822333220807e-08, 2.0888265e-09};
    static constexpr double smallest_normal = 2.2250738585072014e-308, denormal_scale = 0x1p54;
    static constexpr int denormal_shift = 54;
    static constexpr std::int64_t root_half = 0x3fe6a09e667f3bcd;
};

// c[0] + c[1] x + ... by Horner's rule.
template <class T, int N>
CHAINRULE_INLINE Vec<T> polynomial(Vec<T> x, const T (&c)[N]) {
    Vec<T> sum = broadcast<T>(c[N - 1]);
    CHAINRULE_UNROLL
    for (int i = N - 2; i >= 0; --i) sum = sum * x + c[i];
    return sum;
}

// 2^n for integers n within the normal range.
template <class T>
CHAINRULE_INLINE Vec<T> power_of_two(Mask<T> n) {
    return from_bits<T>(wrapping_add<T>(n, integers<T>(Format<T>::bias)) << Format<T>::mantissa);
}

// x = n ln2 + r with |r| <= ln2 / 2.
template <class T>
struct Reduced {
    Mask<T> n;
    Vec<T> r;
};

template <class T>
CHAINRULE_INLINE Reduced<T> reduce_exponent(Vec<T> x) {
    using F = Format<T>;
    const Vec<T> shifted = x * F::log2_e + F::to_integer;
    const Vec<T> n = shifted - F::to_integer;
    const Vec<T> r = (x - n * F::ln2_high) - n * F::ln2_low;
    return {wrapping_add<T>(bits<T>(shifted), integers<T>(-F::to_integer_bits)), r};
}

template <class T>
CHAINRULE_INLINE Vec<T> exp(Vec<T> x) {
    using F = Format<T>;
    x = x > F::exp_high ? broadcast<T>(F::exp_high) : x;
    x = x < F::exp_low ? broadcast<T>(F::exp_low) : x;
    const auto [n, r] = reduce_exponent<T>(x);
    const Vec<T> y = r * r * polynomial<T>(r, F::exp) + r + T(1);
    const Mask<T> half = n >> 1;  // in two steps, since 2^n itself may lie beyond the normal range
    return y * power_of_two<T>(half) * power_of_two<T>(wrapping_add<T>(n, -half));
}

// exp(x) - 1 without cancellation near zero, for x whose 2^n is a normal number; the sign of zero is lost.
template <class T>
CHAINRULE_INLINE Vec<T> expm1_inside(Vec<T> x) {
    using F = Format<T>;
    const auto [n, r] = reduce_exponent<T>(x);
    const Vec<T> y = r * r * polynomial<T>(r, F::expm1) + r;
    const Vec<T> scale = power_of_two<T>(wrapping_add<T>(n, integers<T>(-1)));  // half of 2^n: exact at both ends
    const Vec<T> result = T(2) * (y * scale + (scale - T(0.5)));
    return n == 0 ? y : result;
}

// exp(x) - 1 without cancellation near zero.
template <class T>
CHAINRULE_INLINE Vec<T> expm1(Vec<T> x) {
    using F = Format<T>;
    Vec<T> bounded = x > F::exp_high ? broadcast<T>(F::exp_high) : x;
    bounded = bounded < F::expm1_low ? broadcast<T>(F::expm1_low) : bounded;
    return copy_sign<T>(expm1_inside<T>(bounded), x);
}

// log(1 + f) + n ln2 for |f| < 0.42; `correction` is added at the small end.
CHAINRULE_INLINE Vec<float> log_reduced(Vec<float> f, Vec<float> n, Vec<float> correction) {
    constexpr float c[] = {0.333333135f,  -0.250000119f, 0.200020716f,  -0.166678533f, 0.142202616f,
                           -0.124082178f, 0.118860319f,  -0.116605774f, 0.0673332512f};
    using F = Format<float>;
    const Vec<float> square = f * f;
    const Vec<float> tail = square * f * polynomial<float>(f, c) + (n * F::ln2_low + correction);
    return (tail - 0.5f * square) + f + n * F::ln2_high;
}

CHAINRULE_INLINE Vec<double> log_reduced(Vec<double> f, Vec<double> n, Vec<double> correction) {
    constexpr double c[] = {0.6666666666666734,  0.39999999999417524, 0.2857142874175132, 0.22222198637235133,
                            0.18183561088077277, 0.15314130930520925, 0.14795169583366616};
    using F = Format<double>;
    const Vec<double> s = f / (f + 2.0), z = s * s, half_square = 0.5 * f * f;
    const Vec<double> tail = s * (half_square + z * polynomial<double>(z, c)) + (n * F::ln2_low + correction);
    return n * F::ln2_high - ((half_square - tail) - f);
}

// x = 2^n m with m in [sqrt(1/2), sqrt(2)), for positive normal x.
template <class T>
CHAINRULE_INLINE void split(Vec<T> x, Mask<T>& n, Vec<T>& m) {
    using F = Format<T>;
    const Mask<T> offset = wrapping_add<T>(bits<T>(x), integers<T>(-F::root_half));
    constexpr Integer<T> fraction = (Integer<T>(1) << F::mantissa) - 1;
    n = offset >> F::mantissa;
    m = from_bits<T>((offset & fraction) + F::root_half);
}

template <class T>
CHAINRULE_INLINE Vec<T> to_real(Mask<T> n) {
    return __builtin_convertvector(n, Vec<T>);
}

// What logarithms give at the ends of their domain: -inf at zero, NaN below, inf and NaN unchanged.
template <class T>
CHAINRULE_INLINE Vec<T> log_ends(Vec<T> x, Vec<T> result) {
    constexpr T infinity = __builtin_huge_val();
    result = x == infinity ? x : result;
    result = x == T(0) ? broadcast<T>(-infinity) : result;
    return x >= T(0) ? result : broadcast<T>(__builtin_nan(""));
}

template <class T>
CHAINRULE_INLINE Vec<T> log(Vec<T> x) {
    using F = Format<T>;
    const Mask<T> tiny = x < F::smallest_normal;
    Mask<T> n;
    Vec<T> m;
    split<T>(tiny ? x * F::denormal_scale : x, n, m);
    n -= tiny & Integer<T>(F::denormal_shift);
    return log_ends<T>(x, log_reduced(m - T(1), to_real<T>(n), Vec<T>{}));
}

// log(1 + x) without cancellation near zero.
template <class T>
CHAINRULE_INLINE Vec<T> log1p(Vec<T> x) {
    const Vec<T> u = x + T(1);
    Mask<T> n;
    Vec<T> m;
    split<T>(u, n, m);
    const Vec<T> lost = x >= T(1) ? T(1) - (u - x) : x - (u - T(1));  // what rounding took from 1 + x
    const Vec<T> correction = n == 0 ? Vec<T>{} : lost / u;
    const Vec<T> result = log_reduced(n == 0 ? x : m - T(1), to_real<T>(n), correction);
    return x == T(0) ? x : log_ends<T>(u, result);
}

template <class T>
CHAINRULE_INLINE Vec<T> tanh(Vec<T> x) {
    const Vec<T> limit = broadcast<T>(sizeof(T) == 4 ? T(10) : T(20));
    const Vec<T> size = absolute<T>(x);
    const Vec<T> e = expm1_inside<T>(T(2) * smaller<T>(limit, size));  // a NaN comes through
    return copy_sign<T>(e / (e + T(2)), x);
}

// 1 / (1 + exp(-x)), accurate in both tails.
template <class T>
CHAINRULE_INLINE Vec<T> sigmoid(Vec<T> x) {
    const Vec<T> e = exp<T>(-absolute<T>(x));
    return (x < T(0) ? e : broadcast<T>(1)) / (T(1) + e);
}

// log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|)).
template <class T>
CHAINRULE_INLINE Vec<T> softplus(Vec<T> x) {
    return (x < T(0) ? Vec<T>{} : x) + log1p<T>(exp<T>(-absolute<T>(x)));
}

}  // namespace chainrule::CHAINRULE_ISA

#include "special.hpp"
