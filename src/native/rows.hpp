// Rows of the data into a block, whatever they are stored as; and blocks out to row-major arrays.
#pragma once

#include "gather.hpp"
#include "steps.hpp"

namespace chainrule::CHAINRULE_ISA {

CHAINRULE_INLINE ptrdiff_t size_of(Type type) {
    return type == Type::uint8 ? 1 : (type == Type::int32 || type == Type::float32) ? 4 : 8;
}

template <class To, class From>
CHAINRULE_INLINE To read_as(const unsigned char* p) {
    From value;
    __builtin_memcpy(&value, p, sizeof value);
    return static_cast<To>(value);
}

template <class To>
CHAINRULE_INLINE To read_number(const unsigned char* p, Type type) {
    switch (type) {
        case Type::uint8: return read_as<To, std::uint8_t>(p);
        case Type::int32: return read_as<To, std::int32_t>(p);
        case Type::int64: return read_as<To, std::int64_t>(p);
        case Type::float32: return read_as<To, float>(p);
        default: return read_as<To, double>(p);
    }
}

CHAINRULE_INLINE void report(Trouble& trouble, std::int64_t row, int what, double value) {
    if (trouble.row >= 0 && trouble.row <= row) return;
    trouble.row = row;
    trouble.what = what;
    trouble.value = value;
}

// One CSR row spread out over `width` zeros. Every index is checked: the arrays may change while we read.
template <class T>
CHAINRULE_INLINE void spread_sparse(const Source& source, std::int64_t row, T* out, Trouble& trouble) {
    const ptrdiff_t step = size_of(source.index_type);
    const std::int64_t begin = read_number<std::int64_t>(source.indptr + row * step, source.index_type);
    const std::int64_t end = read_number<std::int64_t>(source.indptr + (row + 1) * step, source.index_type);
    for (std::int64_t u = 0; u < source.width; ++u) out[u] = T(0);
    if (begin < 0 || begin > end || end > source.stored) return report(trouble, row, 3, static_cast<double>(begin));
    for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t column = read_number<std::int64_t>(source.indices + i * step, source.index_type);
        if (column < 0 || column >= source.width) return report(trouble, row, 3, static_cast<double>(column));
        out[column] += read_number<T>(source.data + i * size_of(source.type), source.type);
    }
}

// Integers to int32 labels; what is out of range is reported and read as 0.
template <class T>
void gather_labels(const Source& source, const Destination& to, const std::int64_t* index, ptrdiff_t count,
                   const Block<T>& block, Trouble& trouble) {
    std::int32_t* labels = block.labels_base + to.at * block.ld;
    for (ptrdiff_t u = 0; u < to.width; ++u, labels += block.ld) {
        for (ptrdiff_t r = 0; r < count; ++r) {
            const unsigned char* p = source.data + index[r] * source.row_stride + u * source.column_stride;
            const std::int64_t label = read_number<std::int64_t>(p, source.type);
            const bool fits = static_cast<double>(label) >= to.low && static_cast<double>(label) <= to.high;
            if (!fits) report(trouble, index[r], 2, static_cast<double>(label));
            labels[r] = fits ? static_cast<std::int32_t>(label) : 0;
        }
    }
}

template <class T>
void check_range(const Destination& to, const std::int64_t* index, ptrdiff_t count, const Block<T>& block, Trouble& trouble) {
    for (ptrdiff_t u = 0; u < to.width; ++u) {
        const T* x = block.rows_base + (to.at + u) * block.ld;
        for (ptrdiff_t r = 0; r < count; ++r) {
            const double value = static_cast<double>(x[r]);
            if (!(value >= to.low && value <= to.high)) report(trouble, index[r], 2, value);
        }
    }
}

template <class T>
void find_not_finite(const Destination& to, const std::int64_t* index, ptrdiff_t count, const Block<T>& block,
                     Trouble& trouble) {
    for (ptrdiff_t r = 0; r < count; ++r) {
        for (ptrdiff_t u = 0; u < to.width; ++u) {
            const T value = block.rows_base[(to.at + u) * block.ld + r];
            if (value - value != T(0)) {
                report(trouble, index[r], 1, static_cast<double>(value));
                break;
            }
        }
    }
}

// Units of a few columns of the program's own precision, number by number; false where this is not such a source.
template <class T>
CHAINRULE_INLINE bool gather_few(const Source& source, const Destination& to, const std::int64_t* index, ptrdiff_t count,
                                 const Block<T>& block) {
    constexpr Type own = sizeof(T) == 4 ? Type::float32 : Type::float64;
    if (to.width > 4 || to.nonzero >= 0 || source.type != own || source.indptr != nullptr) return false;
    const T scale = static_cast<T>(to.scale);
    for (ptrdiff_t u = 0; u < to.width; ++u) {
        const unsigned char* p = source.data + u * source.column_stride;
        T* x = unit(block, to.at + u);
        for (ptrdiff_t r = 0; r < count; ++r) {
            T value;
            __builtin_memcpy(&value, p + index[r] * source.row_stride, sizeof value);
            x[r] = value * scale;
        }
    }
    return true;
}

template <class T>
CHAINRULE_INLINE void forget(const Nonzero& known, std::int64_t width, const Block<T>& block) {
    const ptrdiff_t groups = (width + features_together - 1) / features_together;
    const ptrdiff_t words = known.feature_words * (block.ld / lanes<T>) + groups * known.row_words;
    for (ptrdiff_t i = 0; i < words; ++i) known.features[i] = 0;  // the rows' words lie behind the features'
}

inline constexpr ptrdiff_t gather_rows = 64;  // at a time: their addresses lie on the stack

// `scratch` has room for gather_rows rows of the source in precision T, for those that cannot be read in place.
template <class T>
void gather_source(const Source& source, const Destination& to, const std::int64_t* index, ptrdiff_t count,
                   const Block<T>& block, Trouble& trouble, unsigned char* scratch) {
    if (to.space == Space::labels) return gather_labels(source, to, index, count, block, trouble);
    const bool adjacent = source.indptr == nullptr && source.column_stride == size_of(source.type) &&
                          (source.type == Type::uint8 || source.type == Type::float32 || source.type == Type::float64);
    const bool few = gather_few(source, to, index, count, block);
    const Nonzero known = nonzero_of(block, to);
    if (to.nonzero >= 0) forget(known, to.width, block);
    bool finite = !few;  // where that was not looked at on the way, it is looked for below
    for (ptrdiff_t begin = few ? count : 0; begin < count; begin += gather_rows) {
        const ptrdiff_t some = count - begin < gather_rows ? count - begin : gather_rows;
        const unsigned char* row[gather_rows];
        Type type = source.type;
        if (adjacent) {
            for (ptrdiff_t r = 0; r < some; ++r) row[r] = source.data + index[begin + r] * source.row_stride;
        } else {
            T* copy = reinterpret_cast<T*>(scratch);
            type = sizeof(T) == 4 ? Type::float32 : Type::float64;
            for (ptrdiff_t r = 0; r < some; ++r, copy += to.width) {
                row[r] = reinterpret_cast<const unsigned char*>(copy);
                if (source.indptr != nullptr) {
                    spread_sparse<T>(source, index[begin + r], copy, trouble);
                    continue;
                }
                const unsigned char* p = source.data + index[begin + r] * source.row_stride;
                for (ptrdiff_t u = 0; u < to.width; ++u) copy[u] = read_number<T>(p + u * source.column_stride, source.type);
            }
        }
        T* x = unit(block, to.at) + begin;
        const T scale = static_cast<T>(to.scale);
        const auto read = [&](auto example) __attribute__((always_inline)) {
            finite &= gather<T>(to.width, Rows<T, decltype(example)>{row, some, scale, to.nonzero < 0 ? nullptr : &known, begin}, x, block.ld);
        };
        switch (type) {
            case Type::uint8: read(std::uint8_t{}); break;
            case Type::float32: read(float{}); break;
            default: read(double{}); break;
        }
    }
    if (to.check_finite && !finite) find_not_finite(to, index, count, block, trouble);
    if (to.low < to.high) check_range(to, index, count, block, trouble);
}

template <class T>
void scatter_rows(const T* block, ptrdiff_t ld, ptrdiff_t width, ptrdiff_t rows, T* out) {
    constexpr int n = lanes<T>;
    for (ptrdiff_t r = 0; r < rows; r += n) {
        const ptrdiff_t height = rows - r < n ? rows - r : n;
        for (ptrdiff_t u = 0; u < width; u += n) {
            const ptrdiff_t count = width - u < n ? width - u : n;
            Vec<T> v[n];
            CHAINRULE_UNROLL
            for (int j = 0; j < n; ++j) v[j] = j < count ? load(block + (u + j) * ld + r) : Vec<T>{};
            transpose<T>(v);
            CHAINRULE_UNROLL
            for (int j = 0; j < n; ++j) {
                if (j < height) store_first(out + (r + j) * width + u, v[j], count);
            }
        }
    }
}

}  // namespace chainrule::CHAINRULE_ISA
