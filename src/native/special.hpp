// erf, sin and cos of whole vectors; math.hpp includes this file.
#pragma once

#include "math.hpp"

namespace chainrule::CHAINRULE_ISA {

// erf(x)/x - 1 in x^2 up to 1; log(erfc(x)) in x from there to where erf rounds to 1.
template <class T>
struct ErrorFunction;

template <>
struct ErrorFunction<float> {
    static constexpr float end = 4.0f;
    static constexpr float small[] = {0.128379166f,   -0.37612626f,    0.112835832f,  -0.0268536936f,
                                     0.00518808234f, -0.000800799753f, 7.84665172e-05f};
    static constexpr float large[] = {-0.00025709995f, -1.12742341f,    -0.637604594f, -0.10356278f,
                                    0.0220499206f,   -0.00299898582f, 0.000191443003f};
};

template <>
struct ErrorFunction<double> {
    static constexpr double end = 6.0;
    static constexpr double small[] = {
        0.12837916709551259,    -0.37612638903183876,   0.11283791670958743,     -0.026866170645619854,
        0.0052239776291015238,  -0.00085483271900697844, 0.00012055337798220945, -1.4925739059230256e-05,
        1.6463096791877862e-06, -1.6370747551664894e-07, 1.478731662546932e-08,  -1.183365802768973e-09,
        6.6901451936852083e-11};
    static constexpr double large[] = {
        -1.5550149050877043e-07, -1.1283775643251146,     -0.6366274211447932,     -0.10275025541508924,
        0.019084015129550675,    0.00027206731942328548,  -0.0017597627731449675,  0.00063326522737879531,
        -3.9468753046877414e-05, -7.3254778804232788e-05, 4.6281692657348212e-05,  -1.6941055166202355e-05,
        4.4429796906145354e-06,  -8.7512345373602118e-07, 1.2967075171919725e-07,  -1.4098334974461663e-08,
        1.0645848836204689e-09,  -4.9943748587197503e-11, 1.0967294190598046e-12};
};

template <class T>
CHAINRULE_INLINE Vec<T> erf(Vec<T> x) {
    using E = ErrorFunction<T>;
    const Vec<T> size = absolute<T>(x);
    const Vec<T> bounded = size > E::end ? broadcast<T>(E::end) : size;
    const Vec<T> near = x * polynomial<T>(x * x, E::small) + x;
    const Vec<T> far = T(1) - exp<T>(polynomial<T>(bounded, E::large));
    return size < T(1) ? near : copy_sign<T>(far, x);
}

// Parts of pi/2 short enough that their products with a quadrant number are exact.
template <class T>
struct QuarterTurn;

template <>
struct QuarterTurn<float> {
    static constexpr float limit = 6000.0f, per_radian = 0.636619747f;
    static constexpr float parts[] = {1.5703125f, 0.00048375129699707031f, 7.5495336204767227e-08f, 2.5633441515e-12f};
    static constexpr float sine[] = {-0.166666538f, 0.00833211001f, -0.000195085639f};
    static constexpr float cosine[] = {0.0416666456f, -0.00138873036f, 2.44310813e-05f};
};

template <>
struct QuarterTurn<double> {
    static constexpr double limit = 1e5, per_radian = 0.63661977236758134;
    static constexpr double parts[] = {0x1.921fb544p+0, 0x1.0b4611a6p-34, 0x1.3198a2ep-69, 8.4784276603482293e-32};
    static constexpr double sine[] = {-0.16666666666666627,   0.008333333333321152,    -0.0001984126982879075,
                                      2.7557313334225239e-06, -2.5050701226860862e-08, 1.5893445564745888e-10};
    static constexpr double cosine[] = {0.041666666666666588,    -0.0013888888888872165, 2.480158728825998e-05,
                                        -2.7557313997809486e-07, 2.0875674759563392e-09, -1.1357115962638796e-11};
};

// sin(x + quarters * pi / 2) for |x| within QuarterTurn::limit.
template <class T>
CHAINRULE_INLINE Vec<T> sine_shifted(Vec<T> x, int quarters) {
    using Q = QuarterTurn<T>;
    const Vec<T> shifted = x * Q::per_radian + Format<T>::to_integer;
    const Vec<T> n = shifted - Format<T>::to_integer;
    Vec<T> r = x - n * Q::parts[0], lost = n * -Q::parts[3];
    CHAINRULE_UNROLL
    for (int i = 1; i < 3; ++i) {
        const Vec<T> before = r;
        r = before - n * Q::parts[i];
        lost += (before - r) - n * Q::parts[i];
    }
    const Vec<T> z = r * r, half = T(0.5) * z, lead = T(1) - half;
    const Vec<T> sine = (r * z * polynomial<T>(z, Q::sine) + lost) + r;
    const Vec<T> cosine = (z * z * polynomial<T>(z, Q::cosine) + ((T(1) - lead) - half - r * lost)) + lead;
    const Mask<T> quadrant = wrapping_add<T>(bits<T>(shifted), integers<T>(quarters));
    const Vec<T> value = (quadrant & 1) == 0 ? sine : cosine;
    return (quadrant & 2) == 0 ? value : -value;
}

// Large arguments are rare and take the C library's way, one lane at a time.
template <class T, class Scalar>
__attribute__((noinline)) void large_arguments(const T* x, T* y, Scalar scalar) {
    for (int i = 0; i < lanes<T>; ++i) {
        if (!(__builtin_fabs(x[i]) <= QuarterTurn<T>::limit)) y[i] = static_cast<T>(scalar(static_cast<double>(x[i])));
    }
}

template <class T, class Scalar>
CHAINRULE_INLINE Vec<T> periodic(Vec<T> x, int quarters, Scalar scalar) {
    Vec<T> y = sine_shifted<T>(x, quarters);
    if (any<T>(absolute<T>(x) > QuarterTurn<T>::limit)) {
        alignas(vector_bytes) T in[lanes<T>], out[lanes<T>];
        store<T>(in, x);
        store<T>(out, y);
        large_arguments<T>(in, out, scalar);
        y = load<T>(out);
    }
    return y;
}

template <class T>
CHAINRULE_INLINE Vec<T> sin(Vec<T> x) {
    const Vec<T> y = periodic<T>(x, 0, [](double v) { return __builtin_sin(v); });
    return x == T(0) ? x : y;
}

template <class T>
CHAINRULE_INLINE Vec<T> cos(Vec<T> x) {
    return periodic<T>(x, 1, [](double v) { return __builtin_cos(v); });
}

}  // namespace chainrule::CHAINRULE_ISA
