// The steps of a program on one block of rows: elementwise work, layers, losses.
//
// Vectors run along rows. What lies behind the last row of a block is computed along and never enters a
// sum over rows.
#pragma once

#include "elementwise.hpp"
#include "products.hpp"

namespace chainrule::CHAINRULE_ISA {

template <class T>
CHAINRULE_INLINE T* unit(const Block<T>& block, std::int64_t at) {
    return block.rows_base + at * block.ld;
}

template <class T>
CHAINRULE_INLINE const std::int32_t* labels_of(const Block<T>& block, std::int64_t at) {
    return block.labels_base + at * block.ld;
}

template <class T>
CHAINRULE_INLINE ptrdiff_t padded(const Block<T>& block) {
    return round_up(block.rows, lanes<T>);
}

// What gathering notes of an input's zeros: the input given as an operand, or as the destination of rows.
template <class T, class Input>
CHAINRULE_INLINE Nonzero nonzero_of(const Block<T>& block, const Input& input) {
    if (input.nonzero < 0) return {};
    const ptrdiff_t words = (input.width + 63) / 64, vectors = block.ld / lanes<T>;
    std::uint64_t* features = block.nonzero_base + input.nonzero * block.nonzero_stride;
    return {features, words, features + words * vectors, (block.ld + 63) / 64};
}

// Whether a gradient is added to what is there already.
template <class T>
CHAINRULE_INLINE bool adds(const Operand& operand, const Block<T>& block) {
    return operand.mode == Mode::add || (operand.space == Space::parameters && !block.first);
}

template <class T>
CHAINRULE_INLINE void put(T* p, Vec<T> v, bool add) {
    store(p, add ? load(p) + v : v);
}

// Calls body(offset) for every vector of `width` adjacent units; one loop where units lie back to back.
template <class T, class Body>
CHAINRULE_INLINE void each_vector(const Block<T>& block, ptrdiff_t width, Body body) {
    const ptrdiff_t rows = padded(block);
    if (rows == block.ld) {
        for (ptrdiff_t i = 0; i < width * rows; i += lanes<T>) body(i);
        return;
    }
    for (ptrdiff_t u = 0; u < width; ++u) {
        for (ptrdiff_t r = 0; r < rows; r += lanes<T>) body(u * block.ld + r);
    }
}

// Sum over the rows of the block of read(r), the vector that starts at row r.
template <class T, class Read>
CHAINRULE_INLINE T sum_over_rows(const Block<T>& block, Read read) {
    Vec<T> sum{};
    ptrdiff_t r = 0;
    for (; r + lanes<T> <= block.rows; r += lanes<T>) sum += read(r);
    if (r < block.rows) sum += select<T>(first_lanes<T>(block.rows - r), read(r), Vec<T>{});
    return horizontal_sum<T>(sum);
}

// ---- y = f(a), y = f(a, b) ------------------------------------------------------------------------------

template <class T, Unary Code>
void unary_forward(const Step& step, const Block<T>& block) {
    const T* x = unit(block, step.operand[0].at);
    T* y = unit(block, step.y);
    each_vector(block, step.width, [&](ptrdiff_t i) __attribute__((always_inline)) {
        store(y + i, value_of<Code, T>(load(x + i), step.alpha));
    });
}

template <class T, Unary Code>
void unary_backward(const Step& step, const Block<T>& block) {
    const Operand& a = step.operand[0];
    const T *x = unit(block, a.at), *y = unit(block, step.y), *dy = unit(block, step.dy);
    T* dx = unit(block, a.gradient);
    const bool add = adds(a, block);
    each_vector(block, step.width, [&](ptrdiff_t i) __attribute__((always_inline)) {
        const Vec<T> left = reads_x(Code) ? load(x + i) : Vec<T>{};
        put(dx + i, back_of<Code, T>(load(dy + i), left, load(y + i), step.alpha), add);
    });
}

// A reader of one operand at unit u of y: rows are loaded, parameters broadcast.
template <class T>
struct Reader {
    const T* base;
    ptrdiff_t stride;  // between units; 1 for parameters
    const std::int32_t* map;
    bool fixed;

    CHAINRULE_INLINE Reader(const Operand& operand, const Block<T>& block)
        : base(operand.space == Space::rows ? unit(block, operand.at) : block.parameters + operand.at),
          stride(operand.space == Space::rows ? block.ld : 1),
          map(operand.map),
          fixed(operand.space != Space::rows) {}

    CHAINRULE_INLINE ptrdiff_t index(ptrdiff_t u) const { return map == nullptr ? u : map[u]; }
    CHAINRULE_INLINE const T* at(ptrdiff_t u) const { return base + index(u) * stride; }
    CHAINRULE_INLINE Vec<T> read(const T* p, ptrdiff_t r) const { return fixed ? broadcast<T>(*p) : load(p + r); }
};

template <class T, Binary Code>
void binary_forward(const Step& step, const Block<T>& block) {
    const Reader<T> a(step.operand[0], block), b(step.operand[1], block);
    const ptrdiff_t rows = padded(block);
    T* y = unit(block, step.y);
    for (ptrdiff_t u = 0; u < step.width; ++u, y += block.ld) {
        const T *pa = a.at(u), *pb = b.at(u);
        for (ptrdiff_t r = 0; r < rows; r += lanes<T>) store(y + r, value_of<Code, T>(a.read(pa, r), b.read(pb, r)));
    }
}

template <class T, Binary Code, int Which>
CHAINRULE_INLINE void binary_backward_to(const Step& step, const Block<T>& block) {
    const Operand& to = step.operand[Which];
    if (to.mode == Mode::none) return;
    const Reader<T> a(step.operand[0], block), b(step.operand[1], block);
    const ptrdiff_t rows = padded(block);
    const T *y = unit(block, step.y), *dy = unit(block, step.dy);
    const bool add = adds(to, block);
    for (ptrdiff_t u = 0; u < step.width; ++u, y += block.ld, dy += block.ld) {
        const T *pa = a.at(u), *pb = b.at(u);
        const auto back = [&](ptrdiff_t r) __attribute__((always_inline)) {
            return back_of<Code, Which, T>(load(dy + r), a.read(pa, r), b.read(pb, r), load(y + r));
        };
        const ptrdiff_t index = (Which == 0 ? a : b).index(u);
        if (to.space == Space::parameters) {
            T* g = block.gradients + to.at + index;
            const T sum = sum_over_rows(block, back);
            *g = add ? *g + sum : sum;
        } else {
            T* dx = unit(block, to.gradient + index);
            for (ptrdiff_t r = 0; r < rows; r += lanes<T>) put(dx + r, back(r), add);
        }
    }
}

template <class T, Binary Code>
void binary_backward(const Step& step, const Block<T>& block) {
    binary_backward_to<T, Code, 0>(step, block);
    binary_backward_to<T, Code, 1>(step, block);
}

// ---- dense layers: y = f(a W + b) -----------------------------------------------------------------------

// What the first layer fetches for the next block while it multiplies; the rest is left for its way back.
template <class T>
struct Fetching {
    Ahead* ahead;
    Prefetch prefetch;

    CHAINRULE_INLINE Fetching(const Operand& a, const Block<T>& block) : ahead(a.nonzero < 0 ? nullptr : block.ahead) {
        if (ahead != nullptr) prefetch = Prefetch(ahead->rows, ahead->count, ahead->bytes);
    }
    CHAINRULE_INLINE ~Fetching() {
        if (ahead == nullptr) return;
        const ptrdiff_t done = prefetch.row < ahead->count ? prefetch.row : ahead->count;
        ahead->rows += done;
        ahead->count -= done;
    }
    Fetching(const Fetching&) = delete;
};

template <class T, Unary Code>
void dense_step_forward(const Step& step, const Block<T>& block) {
    const Operand &a = step.operand[0], &W = step.operand[1], &b = step.operand[2];
    T* y = unit(block, step.y);
    const T* bias = b.space == Space::none ? nullptr : block.parameters + b.at;
    if (a.nonzero < 0 && is_small<T>(a.width, step.width, block.rows)) {
        return forward_of_few(a.width, step.width, block.parameters + W.at, step.width, bias, unit(block, a.at), block.ld, y,
                              block.ld, [](Vec<T> v) __attribute__((always_inline)) {
                                  return Code == Unary::identity ? v : value_of<Code, T>(v, 0.0);
                              });
    }
    Fetching<T> fetching(a, block);
    const Nonzero known = nonzero_of(block, a);
    dense_forward<T>(a.width, step.width, block.rows, block.parameters + W.at, step.width, bias, unit(block, a.at), block.ld,
                     y, block.ld, a.nonzero < 0 ? nullptr : &known, &fetching.prefetch);
    if constexpr (Code != Unary::identity) {
        each_vector(block, step.width, [&](ptrdiff_t i) __attribute__((always_inline)) {
            store(y + i, value_of<Code, T>(load(y + i), 0.0));
        });
    }
}

template <class T, Unary Code>
void dense_step_backward(const Step& step, const Block<T>& block) {
    const Operand &a = step.operand[0], &W = step.operand[1], &b = step.operand[2];
    T* dz = unit(block, step.dy);
    if constexpr (Code != Unary::identity) {
        const T* y = unit(block, step.y);
        each_vector(block, step.width, [&](ptrdiff_t i) __attribute__((always_inline)) {
            store(dz + i, back_of<Code, T>(load(dz + i), Vec<T>{}, load(y + i), 0.0));
        });
    }
    T* db = b.mode == Mode::none ? nullptr : block.gradients + b.at;
    if (W.mode != Mode::none) {
        const bool add = adds(W, block), together = db != nullptr && adds(b, block) == add;
        const Nonzero known = nonzero_of(block, a);
        Fetching<T> fetching(a, block);
        dense_backward_weights<T>(a.width, step.width, block.rows, unit(block, a.at), block.ld, dz, block.ld,
                                  block.gradients + W.at, step.width, together ? db : nullptr, add,
                                  a.nonzero < 0 ? nullptr : &known, &fetching.prefetch);
        if (together) db = nullptr;
    }
    if (db != nullptr) sum_rows<T>(step.width, block.rows, dz, block.ld, db, adds(b, block));
    if (a.mode != Mode::none) {
        dense_backward_input<T>(a.width, step.width, block.rows, block.parameters + W.at, step.width, dz, block.ld,
                                unit(block, a.gradient), block.ld, adds(a, block));
    }
}

// ---- rows as a whole ------------------------------------------------------------------------------------

// Calls body(base, r) for every group of units and every vector of rows.
template <class T, class Body>
CHAINRULE_INLINE void each_group(const Step& step, const Block<T>& block, Body body) {
    const ptrdiff_t rows = padded(block);
    for (ptrdiff_t first = 0; first < step.width; first += step.group) {
        for (ptrdiff_t r = 0; r < rows; r += lanes<T>) body(first * block.ld + r, r, first / step.group);
    }
}

template <class T>
CHAINRULE_INLINE Vec<T> largest(const T* x, ptrdiff_t count, ptrdiff_t ld) {
    Vec<T> top = load(x);
    for (ptrdiff_t u = 1; u < count; ++u) top = maximum<T>(top, load(x + u * ld));
    return top;
}

template <class T>
void softmax_forward(const Step& step, const Block<T>& block) {
    const ptrdiff_t ld = block.ld, count = step.group;
    each_group(step, block, [&](ptrdiff_t at, ptrdiff_t, ptrdiff_t) __attribute__((always_inline)) {
        const T* x = unit(block, step.operand[0].at) + at;
        T* y = unit(block, step.y) + at;
        const Vec<T> top = largest<T>(x, count, ld);
        Vec<T> sum{};
        for (ptrdiff_t u = 0; u < count; ++u) {
            const Vec<T> e = exp<T>(load(x + u * ld) - top);
            store(y + u * ld, e);
            sum += e;
        }
        for (ptrdiff_t u = 0; u < count; ++u) store(y + u * ld, load(y + u * ld) / sum);
    });
}

template <class T>
void softmax_backward(const Step& step, const Block<T>& block) {
    const Operand& a = step.operand[0];
    const ptrdiff_t ld = block.ld, count = step.group;
    each_group(step, block, [&](ptrdiff_t at, ptrdiff_t, ptrdiff_t) __attribute__((always_inline)) {
        const T *y = unit(block, step.y) + at, *dy = unit(block, step.dy) + at;
        T* dx = unit(block, a.gradient) + at;
        Vec<T> sum{};
        for (ptrdiff_t u = 0; u < count; ++u) sum += load(dy + u * ld) * load(y + u * ld);
        for (ptrdiff_t u = 0; u < count; ++u) {
            put(dx + u * ld, load(y + u * ld) * (load(dy + u * ld) - sum), adds(a, block));
        }
    });
}

// log of the sum of exp(x - top).
template <class T>
CHAINRULE_INLINE Vec<T> log_sum(const T* x, ptrdiff_t count, ptrdiff_t ld, Vec<T> top) {
    Vec<T> sum{};
    for (ptrdiff_t u = 0; u < count; ++u) sum += exp<T>(load(x + u * ld) - top);
    return log<T>(sum);
}

template <class T>
void log_softmax_forward(const Step& step, const Block<T>& block) {
    const ptrdiff_t ld = block.ld, count = step.group;
    each_group(step, block, [&](ptrdiff_t at, ptrdiff_t, ptrdiff_t) __attribute__((always_inline)) {
        const T* x = unit(block, step.operand[0].at) + at;
        T* y = unit(block, step.y) + at;
        const Vec<T> top = largest<T>(x, count, ld), total = log_sum<T>(x, count, ld, top);
        for (ptrdiff_t u = 0; u < count; ++u) store(y + u * ld, (load(x + u * ld) - top) - total);
    });
}

template <class T>
void log_softmax_backward(const Step& step, const Block<T>& block) {
    const Operand& a = step.operand[0];
    const ptrdiff_t ld = block.ld, count = step.group;
    each_group(step, block, [&](ptrdiff_t at, ptrdiff_t, ptrdiff_t) __attribute__((always_inline)) {
        const T *y = unit(block, step.y) + at, *dy = unit(block, step.dy) + at;
        T* dx = unit(block, a.gradient) + at;
        Vec<T> sum{};
        for (ptrdiff_t u = 0; u < count; ++u) sum += load(dy + u * ld);
        for (ptrdiff_t u = 0; u < count; ++u) {
            put(dx + u * ld, load(dy + u * ld) - exp<T>(load(y + u * ld)) * sum, adds(a, block));
        }
    });
}

// y = gain (x - mean) inverse + bias; mean and inverse stay in `scratch` for the way back.
template <class T>
void layer_norm_forward(const Step& step, const Block<T>& block) {
    const ptrdiff_t ld = block.ld, count = step.group;
    const T *gain = block.parameters + step.operand[1].at, *bias = block.parameters + step.operand[2].at;
    const T share = T(1) / static_cast<T>(count);
    each_group(step, block, [&](ptrdiff_t at, ptrdiff_t r, ptrdiff_t g) __attribute__((always_inline)) {
        const T* x = unit(block, step.operand[0].at) + at;
        T *y = unit(block, step.y) + at, *kept = unit(block, step.scratch + 2 * g) + r;
        Vec<T> sum{}, squares{};
        for (ptrdiff_t u = 0; u < count; ++u) sum += load(x + u * ld);
        const Vec<T> mean = sum * share;
        for (ptrdiff_t u = 0; u < count; ++u) {
            const Vec<T> centred = load(x + u * ld) - mean;
            squares = fma<T>(centred, centred, squares);
        }
        const Vec<T> inverse = T(1) / square_root<T>(squares * share + static_cast<T>(step.alpha));
        store(kept, mean);
        store(kept + ld, inverse);
        for (ptrdiff_t u = 0; u < count; ++u) {
            store(y + u * ld, (load(x + u * ld) - mean) * inverse * gain[u] + bias[u]);
        }
    });
}

template <class T>
void layer_norm_backward(const Step& step, const Block<T>& block) {
    const Operand &a = step.operand[0], &gain = step.operand[1], &bias = step.operand[2];
    const ptrdiff_t ld = block.ld, count = step.group;
    const T* scale = block.parameters + gain.at;
    const T share = T(1) / static_cast<T>(count);
    for (ptrdiff_t u = 0; u < step.width; ++u) {
        const T *x = unit(block, a.at + u), *dy = unit(block, step.dy + u), *kept = unit(block, step.scratch + 2 * (u / count));
        const bool later = u >= count;  // the first group may write, the others add
        if (gain.mode != Mode::none) {
            T* g = block.gradients + gain.at + u % count;
            const T sum = sum_over_rows(block, [&](ptrdiff_t r) __attribute__((always_inline)) {
                return load(dy + r) * ((load(x + r) - load(kept + r)) * load(kept + ld + r));
            });
            *g = later || adds(gain, block) ? *g + sum : sum;
        }
        if (bias.mode != Mode::none) {
            T* g = block.gradients + bias.at + u % count;
            const T sum = sum_over_rows(block, [&](ptrdiff_t r) __attribute__((always_inline)) { return load(dy + r); });
            *g = later || adds(bias, block) ? *g + sum : sum;
        }
    }
    if (a.mode == Mode::none) return;
    each_group(step, block, [&](ptrdiff_t at, ptrdiff_t r, ptrdiff_t g) __attribute__((always_inline)) {
        const T *x = unit(block, a.at) + at, *dy = unit(block, step.dy) + at, *kept = unit(block, step.scratch + 2 * g) + r;
        T* dx = unit(block, a.gradient) + at;
        const Vec<T> mean = load(kept), inverse = load(kept + ld);
        Vec<T> across{}, along{};
        for (ptrdiff_t u = 0; u < count; ++u) {
            const Vec<T> dn = load(dy + u * ld) * scale[u];
            across += dn;
            along = fma<T>(dn, (load(x + u * ld) - mean) * inverse, along);
        }
        across *= share;
        along *= share;
        for (ptrdiff_t u = 0; u < count; ++u) {
            const Vec<T> normal = (load(x + u * ld) - mean) * inverse;
            put(dx + u * ld, inverse * (load(dy + u * ld) * scale[u] - across - normal * along), adds(a, block));
        }
    });
}

}  // namespace chainrule::CHAINRULE_ISA
