// Functions of one and of two elements: the value, and the slope that backward multiplies dy with.
//
// The formulas are those of the NumPy rules in chainrule/ops, in the same order of operations.
#pragma once

#include "math.hpp"
#include "program.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T>
CHAINRULE_INLINE Vec<T> sign(Vec<T> x) {
    const Vec<T> one = broadcast<T>(1), zero{};
    const Vec<T> value = x > zero ? one : (x < zero ? -one : zero);
    return x != x ? x : value;
}

// One lane at a time through the C library: correct to the last digits for any exponent.
template <class T>
__attribute__((noinline)) void power_each(const T* x, T* y, double exponent) {
    for (int i = 0; i < lanes<T>; ++i) y[i] = static_cast<T>(__builtin_pow(static_cast<double>(x[i]), exponent));
}

template <class T>
CHAINRULE_INLINE Vec<T> power(Vec<T> x, double exponent) {
    if (exponent == 0.0) return broadcast<T>(1);
    if (exponent == 1.0) return x;
    if (exponent == 2.0) return x * x;
    if (exponent == 3.0) return x * x * x;
    if (exponent == -1.0) return T(1) / x;
    if (exponent == 0.5) return square_root<T>(x);
    alignas(vector_bytes) T in[lanes<T>], out[lanes<T>];
    store<T>(in, x);
    power_each<T>(in, out, exponent);
    return load<T>(out);
}

inline constexpr double root_half = 0.70710678118654752440, root_2_over_pi = 0.79788456080286535588;
inline constexpr double inverse_root_2_pi = 0.39894228040143267794;
inline constexpr double selu_alpha = 1.6732632423543772, selu_scale = 1.0507009873554805;

template <class T>
CHAINRULE_INLINE Vec<T> gelu_argument(Vec<T> x) {
    return T(root_2_over_pi) * (x + T(0.044715) * (x * x * x));
}

// tanh(softplus(x)) = n / (n + 2), n = e(e + 2), e = exp(x): one exponential. From 20 on it is 1 to the last digit.
template <class T>
struct MishParts {
    Vec<T> e, n;

    CHAINRULE_INLINE explicit MishParts(Vec<T> x)
        : e(CHAINRULE_ISA::exp<T>(minimum<T>(x, broadcast<T>(20)))), n(e * (e + T(2))) {}
    CHAINRULE_INLINE Vec<T> value() const { return n / (n + T(2)); }
};

template <Unary Code, class T>
CHAINRULE_INLINE Vec<T> value_of(Vec<T> x, double alpha) {
    using enum Unary;
    const T a = static_cast<T>(alpha);
    const Vec<T> zero{};
    if constexpr (Code == identity) return x;
    if constexpr (Code == Unary::sigmoid) return CHAINRULE_ISA::sigmoid<T>(x);
    if constexpr (Code == Unary::tanh) return CHAINRULE_ISA::tanh<T>(x);
    if constexpr (Code == relu) return maximum<T>(x, zero);
    if constexpr (Code == negate) return -x;
    if constexpr (Code == scale) return x * a;
    if constexpr (Code == Unary::power) return CHAINRULE_ISA::power<T>(x, alpha);
    if constexpr (Code == Unary::exp) return CHAINRULE_ISA::exp<T>(x);
    if constexpr (Code == Unary::log) return CHAINRULE_ISA::log<T>(x);
    if constexpr (Code == Unary::sqrt) return square_root<T>(x);
    if constexpr (Code == square) return x * x;
    if constexpr (Code == Unary::absolute) return CHAINRULE_ISA::absolute<T>(x);
    if constexpr (Code == Unary::sin) return CHAINRULE_ISA::sin<T>(x);
    if constexpr (Code == Unary::cos) return CHAINRULE_ISA::cos<T>(x);
    if constexpr (Code == leaky_relu) return x > zero ? x : a * x;
    if constexpr (Code == elu) return x > zero ? x : a * expm1<T>(minimum<T>(x, zero));
    if constexpr (Code == selu) return T(selu_scale) * (x > zero ? x : T(selu_alpha) * expm1<T>(minimum<T>(x, zero)));
    if constexpr (Code == gelu) return T(0.5) * x * (T(1) + erf<T>(x * T(root_half)));
    if constexpr (Code == gelu_tanh) return T(0.5) * x * (T(1) + CHAINRULE_ISA::tanh<T>(gelu_argument<T>(x)));
    if constexpr (Code == silu) return x * CHAINRULE_ISA::sigmoid<T>(x);
    if constexpr (Code == Unary::softplus) return CHAINRULE_ISA::softplus<T>(x);
    if constexpr (Code == mish) return x * MishParts<T>(x).value();
}

// Whether the slope looks at x; all others look at y or at nothing.
constexpr bool reads_x(Unary code) {
    using enum Unary;
    switch (code) {
        case identity: case sigmoid: case tanh: case relu: case negate: case scale: case exp: case sqrt: return false;
        default: return true;
    }
}

template <class T>
CHAINRULE_INLINE Vec<T> gelu_slope(Vec<T> x) {
    const Vec<T> density = CHAINRULE_ISA::exp<T>(T(-0.5) * x * x) * T(inverse_root_2_pi);
    return T(0.5) * (T(1) + erf<T>(x * T(root_half))) + x * density;
}

template <class T>
CHAINRULE_INLINE Vec<T> gelu_tanh_slope(Vec<T> x) {
    const Vec<T> near = larger<T>(smaller<T>(x, broadcast<T>(30)), broadcast<T>(-30));
    const Vec<T> t = CHAINRULE_ISA::tanh<T>(gelu_argument<T>(near));
    const Vec<T> inner = T(root_2_over_pi) * (T(1) + T(3 * 0.044715) * near * near);
    const Vec<T> slope = T(0.5) * (T(1) + t) + T(0.5) * near * (T(1) - t * t) * inner;
    return x != x ? x : slope;
}

// dy times the slope.
template <Unary Code, class T>
CHAINRULE_INLINE Vec<T> back_of(Vec<T> dy, Vec<T> x, Vec<T> y, double alpha) {
    using enum Unary;
    const T a = static_cast<T>(alpha);
    const Vec<T> zero{};
    if constexpr (Code == identity) return dy;
    if constexpr (Code == Unary::sigmoid) return dy * y * (T(1) - y);
    if constexpr (Code == Unary::tanh) return dy * (T(1) - y * y);
    if constexpr (Code == relu) return y > zero ? dy : zero;
    if constexpr (Code == negate) return -dy;
    if constexpr (Code == scale) return dy * a;
    if constexpr (Code == Unary::power) {
        return alpha == 0.0 ? zero : dy * a * CHAINRULE_ISA::power<T>(x, alpha - 1.0);
    }
    if constexpr (Code == Unary::exp) return dy * y;
    if constexpr (Code == Unary::log) return dy / x;
    if constexpr (Code == Unary::sqrt) return dy / (T(2) * y);
    if constexpr (Code == square) return T(2) * dy * x;
    if constexpr (Code == Unary::absolute) return dy * sign<T>(x);
    if constexpr (Code == Unary::sin) return dy * CHAINRULE_ISA::cos<T>(x);
    if constexpr (Code == Unary::cos) return -dy * CHAINRULE_ISA::sin<T>(x);
    if constexpr (Code == leaky_relu) return x > zero ? dy : a * dy;
    if constexpr (Code == elu) return x > zero ? dy : dy * (y + a);
    if constexpr (Code == selu) return dy * (x > zero ? broadcast<T>(T(selu_scale)) : y + T(selu_scale * selu_alpha));
    if constexpr (Code == gelu) return dy * gelu_slope<T>(x);
    if constexpr (Code == gelu_tanh) return dy * gelu_tanh_slope<T>(x);
    if constexpr (Code == silu) {
        const Vec<T> gate = CHAINRULE_ISA::sigmoid<T>(x);
        return dy * (gate + x * gate * CHAINRULE_ISA::sigmoid<T>(-x));
    }
    if constexpr (Code == Unary::softplus) return dy * CHAINRULE_ISA::sigmoid<T>(x);
    if constexpr (Code == mish) {
        // 1 - t^2 = 4(n + 1) / (n + 2)^2 and sigmoid(x) = e / (e + 1), where n + 1 = (e + 1)^2
        const MishParts<T> parts(x);
        const Vec<T> whole = parts.n + T(2), fall = T(4) * parts.e * (parts.e + T(1)) / whole / whole;
        return dy * (parts.n / whole + x * fall);
    }
}

template <Binary Code, class T>
CHAINRULE_INLINE Vec<T> value_of(Vec<T> a, Vec<T> b) {
    if constexpr (Code == Binary::add) return a + b;
    if constexpr (Code == Binary::subtract) return a - b;
    if constexpr (Code == Binary::multiply) return a * b;
    if constexpr (Code == Binary::divide) return a / b;
    if constexpr (Code == Binary::maximum) return CHAINRULE_ISA::maximum<T>(a, b);
}

// What dy passes on to the first (Which 0) or the second operand.
template <Binary Code, int Which, class T>
CHAINRULE_INLINE Vec<T> back_of(Vec<T> dy, Vec<T> a, Vec<T> b, Vec<T> y) {
    if constexpr (Code == Binary::add) return dy;
    if constexpr (Code == Binary::subtract) return Which == 0 ? dy : -dy;
    if constexpr (Code == Binary::multiply) return Which == 0 ? dy * b : dy * a;
    if constexpr (Code == Binary::divide) return Which == 0 ? dy / b : -dy * y / b;
    if constexpr (Code == Binary::maximum) {
        const Vec<T> share = (sign<T>(a - b) + T(1)) * T(0.5);
        return Which == 0 ? dy * share : dy * (T(1) - share);
    }
}

// The value of one output's loss and its slope along the score s.
template <Loss Code, class T>
CHAINRULE_INLINE Vec<T> value_of(Vec<T> s, Vec<T> t, double alpha) {
    const T a = static_cast<T>(alpha), other = static_cast<T>(1.0 - alpha);
    if constexpr (Code == Loss::squared_error) return T(0.5) * (s - t) * (s - t);
    if constexpr (Code == Loss::absolute_error) return absolute<T>(s - t);
    if constexpr (Code == Loss::huber) {
        const Vec<T> size = absolute<T>(s - t), near = minimum<T>(size, broadcast<T>(a));
        return near * (size - T(0.5) * near);
    }
    if constexpr (Code == Loss::quantile) return maximum<T>(a * (t - s), other * (s - t));
    if constexpr (Code == Loss::poisson) return exp<T>(s) - t * s;
    if constexpr (Code == Loss::binary_cross_entropy_with_logits) {
        const Vec<T> rest = log1p<T>(exp<T>(-absolute<T>(s)));  // of softplus(-s) and of softplus(s)
        return t * ((s > T(0) ? Vec<T>{} : -s) + rest) + (T(1) - t) * ((s < T(0) ? Vec<T>{} : s) + rest);
    }
}

template <Loss Code, class T>
CHAINRULE_INLINE Vec<T> slope_of(Vec<T> s, Vec<T> t, double alpha) {
    const T a = static_cast<T>(alpha), other = static_cast<T>(1.0 - alpha);
    if constexpr (Code == Loss::squared_error) return s - t;
    if constexpr (Code == Loss::absolute_error) return sign<T>(s - t);
    if constexpr (Code == Loss::huber) return maximum<T>(minimum<T>(s - t, broadcast<T>(a)), broadcast<T>(-a));
    if constexpr (Code == Loss::quantile) {
        return s > t ? broadcast<T>(other) : (s < t ? broadcast<T>(-a) : Vec<T>{});
    }
    if constexpr (Code == Loss::poisson) return exp<T>(s) - t;
    if constexpr (Code == Loss::binary_cross_entropy_with_logits) {
        const Vec<T> e = exp<T>(-absolute<T>(s)), one = broadcast<T>(1), whole = T(1) + e;  // of sigmoid(s) and sigmoid(-s)
        return (T(1) - t) * ((s < T(0) ? e : one) / whole) - t * ((s > T(0) ? e : one) / whole);
    }
}

}  // namespace chainrule::CHAINRULE_ISA
