// From the sums of the segments to the gradient, from the gradient to new parameters.
#pragma once

#include "program.hpp"
#include "elementwise.hpp"

namespace chainrule::CHAINRULE_ISA {

// Calls body(span, i, count, own) for every vector of [begin, end), cut where a span ends. Of the engine's own buffers
// `own` numbers may be touched: a whole vector also where zeros lie behind the end (a masked store followed by a load
// would have to wait).
template <class T, class Body>
CHAINRULE_INLINE void each_of_spans(const Spans& spans, ptrdiff_t begin, ptrdiff_t end, Body body) {
    for (ptrdiff_t s = 0; s < spans.count; ++s) {
        const Span& span = spans.first[s];
        const ptrdiff_t from = span.begin > begin ? span.begin : begin, to = span.end < end ? span.end : end;
        const bool room = to == spans.padded_end;
        for (ptrdiff_t i = from; i < to; i += lanes<T>) {
            const ptrdiff_t count = to - i < lanes<T> ? to - i : lanes<T>;
            body(span, i, count, room ? lanes<T> : count);
        }
    }
}

template <class T>
CHAINRULE_INLINE Vec<T> load_some(const T* p, ptrdiff_t count) {
    return count == lanes<T> ? load(p) : load_first(p, count);
}

template <class T>
CHAINRULE_INLINE void store_some(T* p, Vec<T> v, ptrdiff_t count) {
    if (count == lanes<T>) {
        store(p, v);
    } else {
        store_first(p, v, count);
    }
}

template <class T>
double combine(const T* const* parts, ptrdiff_t n_parts, double inverse_weight, double penalty_scale, const T* theta,
               const Spans& spans, ptrdiff_t begin, ptrdiff_t end, T* gradient, double* penalty) {
    Vec<T> squares{}, penalties{};
    const T share = static_cast<T>(inverse_weight);
    each_of_spans<T>(spans, begin, end, [&](const Span& span, ptrdiff_t i, ptrdiff_t, ptrdiff_t own)
                                            __attribute__((always_inline)) {
        Vec<T> g = load_some(parts[0] + i, own);
        for (ptrdiff_t p = 1; p < n_parts; ++p) g += load_some(parts[p] + i, own);
        g *= share;
        if (span.l2 != 0.0 || span.l1 != 0.0) {
            const T l2 = static_cast<T>(span.l2 * penalty_scale), l1 = static_cast<T>(span.l1 * penalty_scale);
            const Vec<T> w = load_some(theta + i, own);
            g += l2 * w + l1 * sign<T>(w);
            penalties += (T(0.5) * l2) * w * w + l1 * absolute<T>(w);
        }
        store_some(gradient + i, g, own);
        squares = fma<T>(g, g, squares);
    });
    *penalty += static_cast<double>(horizontal_sum<T>(penalties));
    return static_cast<double>(horizontal_sum<T>(squares));
}

template <class T, Rule Kind>
CHAINRULE_INLINE void update_by(const UpdateOptions& o, const Spans& spans, ptrdiff_t begin, ptrdiff_t end, const T* gradient,
                                T* theta, T* slot_1, T* slot_2) {
    const T clip = static_cast<T>(o.clip_scale), momentum = static_cast<T>(o.momentum), rho = static_cast<T>(o.rho);
    const T beta_1 = static_cast<T>(o.beta_1), beta_2 = static_cast<T>(o.beta_2), epsilon = static_cast<T>(o.epsilon);
    const T rest_1 = static_cast<T>(1.0 - o.beta_1), rest_2 = static_cast<T>(1.0 - o.beta_2), rest = static_cast<T>(1.0 - o.rho);
    each_of_spans<T>(spans, begin, end, [&](const Span& span, ptrdiff_t i, [[maybe_unused]] ptrdiff_t count, ptrdiff_t own)
                                            __attribute__((always_inline)) {
        const T rate = static_cast<T>(o.learning_rate * span.rate);
        const Vec<T> g = load_some(gradient + i, own) * clip, w = load_some(theta + i, own);
        Vec<T> moved;
        if constexpr (Kind == Rule::sgd) moved = w - rate * g;
        if constexpr (Kind == Rule::momentum || Kind == Rule::nesterov) {
            const Vec<T> v = momentum * load_some(slot_1 + i, count) - rate * g;
            store_some(slot_1 + i, v, count);
            moved = Kind == Rule::momentum ? w + v : w + (momentum * v - rate * g);
        }
        if constexpr (Kind == Rule::rmsprop) {
            const Vec<T> s = rho * load_some(slot_1 + i, count) + rest * (g * g);
            store_some(slot_1 + i, s, count);
            moved = w - rate * g / (square_root<T>(s) + epsilon);
        }
        if constexpr (Kind == Rule::adam) {
            const Vec<T> m = beta_1 * load_some(slot_1 + i, count) + rest_1 * g;
            const Vec<T> s = beta_2 * load_some(slot_2 + i, count) + rest_2 * (g * g);
            store_some(slot_1 + i, m, count);
            store_some(slot_2 + i, s, count);
            const T decay = static_cast<T>(o.raw_rate * span.rate * o.weight_decay * span.decay);
            moved = (w - decay * w) - rate * m / (square_root<T>(s) + epsilon);
        }
        store_some(theta + i, moved, own);
    });
}

template <class T>
void update(const UpdateOptions& o, const Spans& spans, ptrdiff_t begin, ptrdiff_t end, const T* gradient, T* theta, T* slot_1,
            T* slot_2) {
    switch (o.rule) {
#define CHAINRULE_CASE(name) \
    case Rule::name: return update_by<T, Rule::name>(o, spans, begin, end, gradient, theta, slot_1, slot_2);
        CHAINRULE_RULES(CHAINRULE_CASE)
#undef CHAINRULE_CASE
        default: return;
    }
}

// Weighted sums over rows, in double precision; lanes are added in a fixed order.
template <class T>
void loss_sums(const T* loss, const T* weight, ptrdiff_t rows, double* loss_sum, double* weight_sum) {
    typedef typename VectorType<T, 4 * sizeof(T)>::unaligned Some;
    typedef double Four __attribute__((vector_size(32)));
    typedef std::int64_t Numbers __attribute__((vector_size(32)));
    Four losses{}, weights{};
    for (ptrdiff_t r = 0; r < rows; r += 4) {
        const Four l = __builtin_convertvector(*reinterpret_cast<const Some*>(loss + r), Four);
        const Four w = __builtin_convertvector(*reinterpret_cast<const Some*>(weight + r), Four);
        const auto inside = Numbers{0, 1, 2, 3} < rows - r;
        losses += inside ? l * w : Four{};
        weights += inside ? w : Four{};
    }
    *loss_sum += (losses[0] + losses[1]) + (losses[2] + losses[3]);
    *weight_sum += (weights[0] + weights[1]) + (weights[2] + weights[3]);
}

template <class T>
void add_to(const T* values, ptrdiff_t count, double* totals) {
    for (ptrdiff_t i = 0; i < count; ++i) totals[i] += static_cast<double>(values[i]);
}

}  // namespace chainrule::CHAINRULE_ISA
