// Steps on parameters alone, such as W * scale or W.T: run once an evaluation, not once a row.
//
// All values lie in one vector (theta, then what is derived from it, then constants), gradients in another.
// Gradients are always added: whoever runs the program clears them first.
#pragma once

#include "elementwise.hpp"

namespace chainrule::CHAINRULE_ISA {

// Up to a vector of an operand's numbers for units u ... u + count of y.
template <class T>
CHAINRULE_INLINE Vec<T> read_static(const T* values, const Operand& operand, ptrdiff_t u, ptrdiff_t count) {
    const T* p = values + operand.at;
    if (operand.map == nullptr) return load_first(p + u, count);
    Vec<T> v{};
    for (ptrdiff_t i = 0; i < count; ++i) v[i] = p[operand.map[u + i]];
    return v;
}

template <class T>
CHAINRULE_INLINE void add_static(T* gradients, const Operand& operand, ptrdiff_t u, ptrdiff_t count, Vec<T> v) {
    T* p = gradients + operand.at;
    for (ptrdiff_t i = 0; i < count; ++i) p[operand.map == nullptr ? u + i : operand.map[u + i]] += v[i];
}

template <class Body>
CHAINRULE_INLINE void each_part(ptrdiff_t width, ptrdiff_t most, Body body) {
    for (ptrdiff_t u = 0; u < width; u += most) body(u, width - u < most ? width - u : most);
}

template <class T, Unary Code>
void unary_static(const Step& step, T* values, T* gradients) {
    each_part(step.width, lanes<T>, [&](ptrdiff_t u, ptrdiff_t count) __attribute__((always_inline)) {
        const Vec<T> x = read_static<T>(values, step.operand[0], u, count);
        if (gradients == nullptr) {
            store_first(values + step.y + u, value_of<Code, T>(x, step.alpha), count);
        } else if (step.operand[0].mode != Mode::none) {
            const Vec<T> y = load_first(values + step.y + u, count), dy = load_first(gradients + step.y + u, count);
            add_static<T>(gradients, step.operand[0], u, count, back_of<Code, T>(dy, x, y, step.alpha));
        }
    });
}

template <class T, Binary Code>
void binary_static(const Step& step, T* values, T* gradients) {
    const Operand &left = step.operand[0], &right = step.operand[1];
    each_part(step.width, lanes<T>, [&](ptrdiff_t u, ptrdiff_t count) __attribute__((always_inline)) {
        const Vec<T> a = read_static<T>(values, left, u, count), b = read_static<T>(values, right, u, count);
        if (gradients == nullptr) {
            store_first(values + step.y + u, value_of<Code, T>(a, b), count);
            return;
        }
        const Vec<T> y = load_first(values + step.y + u, count), dy = load_first(gradients + step.y + u, count);
        if (left.mode != Mode::none) add_static<T>(gradients, left, u, count, back_of<Code, 0, T>(dy, a, b, y));
        if (right.mode != Mode::none) add_static<T>(gradients, right, u, count, back_of<Code, 1, T>(dy, a, b, y));
    });
}

// copy: y[map[u]] = a[u]; reduce: y[map[u]] = alpha times the sum of a[u].
template <class T>
void move_static(const Step& step, T* values, T* gradients) {
    const Operand& a = step.operand[0];
    const T alpha = static_cast<T>(step.alpha);
    if (gradients != nullptr && a.mode == Mode::none) return;
    if (gradients == nullptr && step.op == Op::reduce) {
        for (ptrdiff_t u = 0; u < step.width; ++u) values[step.y + u] = T(0);
    }
    for (ptrdiff_t u = 0; u < a.width; ++u) {
        const ptrdiff_t to = step.y + (a.map == nullptr ? u : a.map[u]);
        if (gradients != nullptr) {
            gradients[a.at + u] += alpha * gradients[to];
        } else {
            values[to] = step.op == Op::reduce ? values[to] + alpha * values[a.at + u] : values[a.at + u];
        }
    }
}

// y = a b, matrices of width / group rows and `group` columns.
template <class T>
void matmul_static(const Step& step, T* values, T* gradients) {
    const Operand &left = step.operand[0], &right = step.operand[1];
    const ptrdiff_t m = step.group, n = step.width / m, k = right.width / m;
    const T *a = values + left.at, *b = values + right.at;
    if (gradients == nullptr) {
        T* y = values + step.y;
        for (ptrdiff_t i = 0; i < n * m; ++i) y[i] = T(0);
        for (ptrdiff_t i = 0; i < n; ++i) {
            for (ptrdiff_t l = 0; l < k; ++l) {
                for (ptrdiff_t j = 0; j < m; ++j) y[i * m + j] += a[i * k + l] * b[l * m + j];
            }
        }
        return;
    }
    const T* dy = gradients + step.y;
    T *da = gradients + left.at, *db = gradients + right.at;
    for (ptrdiff_t i = 0; i < n; ++i) {
        for (ptrdiff_t l = 0; l < k; ++l) {
            T sum = T(0);
            for (ptrdiff_t j = 0; j < m; ++j) sum += dy[i * m + j] * b[l * m + j];
            if (left.mode != Mode::none) da[i * k + l] += sum;
            if (right.mode == Mode::none) continue;
            for (ptrdiff_t j = 0; j < m; ++j) db[l * m + j] += a[i * k + l] * dy[i * m + j];
        }
    }
}

}  // namespace chainrule::CHAINRULE_ISA
