// Kernels against plain loops in long double: every width from 1 to 70, remainders of rows, both precisions.
//
//   g++ -std=c++20 -O2 -g -Wall -Wextra -fno-math-errno -ffp-contract=fast -fsanitize=address,undefined
//       -mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -DCHAINRULE_ISA=avx512 -Isrc/native tests/native/test_kernels.cpp -o test_kernels
//   (the same with -mavx2 -mfma -DCHAINRULE_ISA=avx2, and with neither for the baseline)
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "gather.hpp"
#include "math.hpp"
#include "products.hpp"

namespace k = chainrule::CHAINRULE_ISA;
using std::ptrdiff_t;

namespace {

int failures = 0;

void check(bool good, const char* what, long a = 0, long b = 0, long c = 0) {
    if (good) return;
    if (++failures <= 40) std::printf("FAILED %s (%ld, %ld, %ld)\n", what, a, b, c);
}

// Exactly `size` elements, aligned to 64 bytes or deliberately off by one element, so that sanitizers see any overrun.
template <class T>
struct Buffer {
    ptrdiff_t size;
    void* memory;
    T* data;

    explicit Buffer(ptrdiff_t size_, bool aligned = true) : size(size_) {
        const std::size_t bytes = static_cast<std::size_t>(size + (aligned ? 0 : 1)) * sizeof(T);
        memory = nullptr;
        if (posix_memalign(&memory, 64, bytes == 0 ? 64 : bytes) != 0) std::abort();
        data = static_cast<T*>(memory) + (aligned ? 0 : 1);
        for (ptrdiff_t i = 0; i < size; ++i) data[i] = T(0);
    }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    ~Buffer() { std::free(memory); }
    T& operator[](ptrdiff_t i) { return data[i]; }
};

std::mt19937 random_bits(7);

template <class T>
void randomize(Buffer<T>& b) {
    std::normal_distribution<double> normal;
    for (ptrdiff_t i = 0; i < b.size; ++i) b[i] = static_cast<T>(normal(random_bits));
}

// Within a few units in the last place of the sum of magnitudes.
template <class T>
bool close(T got, long double expected, long double magnitude, ptrdiff_t length) {
    const long double unit = std::numeric_limits<T>::epsilon();
    return std::fabs(static_cast<long double>(got) - expected) <= unit * (magnitude * std::sqrt(static_cast<long double>(length)) + 1e-30L);
}

template <class T>
struct Layer {
    ptrdiff_t in, out, rows, ld;
    Buffer<T> W, bias, x, dy;

    Layer(ptrdiff_t in_, ptrdiff_t out_, ptrdiff_t rows_)
        : in(in_), out(out_), rows(rows_), ld(k::round_up(rows, 64 / sizeof(T))), W(in * out, false), bias(out, false),
          x(in * ld), dy(out * ld) {
        randomize(W), randomize(bias), randomize(x), randomize(dy);
        for (ptrdiff_t r = rows; r < ld; ++r) {  // what lies behind the rows must not matter
            for (ptrdiff_t i = 0; i < in; ++i) x[i * ld + r] = std::numeric_limits<T>::quiet_NaN();
            for (ptrdiff_t o = 0; o < out; ++o) dy[o * ld + r] = std::numeric_limits<T>::infinity();
        }
    }

    void check_forward(Buffer<T>& y, bool with_bias, const char* what) {
        for (ptrdiff_t o = 0; o < out; ++o) {
            for (ptrdiff_t r = 0; r < rows; ++r) {
                long double sum = with_bias ? bias[o] : 0, size = std::fabs(sum);
                for (ptrdiff_t i = 0; i < in; ++i) {
                    const long double term = static_cast<long double>(W[i * out + o]) * x[i * ld + r];
                    sum += term, size += std::fabs(term);
                }
                check(close(y[o * ld + r], sum, size, in), what, in, out, rows);
            }
        }
    }

    void check_input(Buffer<T>& dx, T before, const char* what) {
        for (ptrdiff_t i = 0; i < in; ++i) {
            for (ptrdiff_t r = 0; r < rows; ++r) {
                long double sum = before, size = std::fabs(sum);
                for (ptrdiff_t o = 0; o < out; ++o) {
                    const long double term = static_cast<long double>(W[i * out + o]) * dy[o * ld + r];
                    sum += term, size += std::fabs(term);
                }
                check(close(dx[i * ld + r], sum, size, out), what, in, out, rows);
            }
        }
    }

    void check_weights(Buffer<T>& dW, T before, const char* what) {
        for (ptrdiff_t i = 0; i < in; ++i) {
            for (ptrdiff_t o = 0; o < out; ++o) {
                long double sum = before, size = std::fabs(sum);
                for (ptrdiff_t r = 0; r < rows; ++r) {
                    const long double term = static_cast<long double>(x[i * ld + r]) * dy[o * ld + r];
                    sum += term, size += std::fabs(term);
                }
                check(close(dW[i * out + o], sum, size, rows), what, in, out, rows);
            }
        }
    }

    void check_bias(Buffer<T>& db, T before, const char* what) {
        for (ptrdiff_t o = 0; o < out; ++o) {
            long double sum = before, size = std::fabs(sum);
            for (ptrdiff_t r = 0; r < rows; ++r) sum += dy[o * ld + r], size += std::fabs(dy[o * ld + r]);
            check(close(db[o], sum, size, rows), what, in, out, rows);
        }
    }
};

template <class T>
void fill(Buffer<T>& b, T value) {
    for (ptrdiff_t i = 0; i < b.size; ++i) b[i] = value;
}

template <class T>
void test_skinny(ptrdiff_t in, ptrdiff_t out, ptrdiff_t rows) {
    Layer<T> l(in, out, rows);
    Buffer<T> y(out * l.ld), dx(in * l.ld), dW(in * out, false), db(out, false);
    for (const bool with : {false, true}) {
        const T before = with ? T(0.5) : T(0);
        k::dense_forward<T>(in, out, rows, l.W.data, out, with ? l.bias.data : nullptr, l.x.data, l.ld, y.data, l.ld);
        l.check_forward(y, with, "dense_forward");
        fill(dx, T(0.5));
        k::dense_backward_input<T>(in, out, rows, l.W.data, out, l.dy.data, l.ld, dx.data, l.ld, with);
        l.check_input(dx, before, "dense_backward_input");
        fill(dW, T(0.5)), fill(db, T(0.5));
        k::dense_backward_weights<T>(in, out, rows, l.x.data, l.ld, l.dy.data, l.ld, dW.data, out, db.data, with);
        l.check_weights(dW, before, "dense_backward_weights");
        l.check_bias(db, before, "bias gradient");
        // Both ways, whichever the estimate prefers.
        k::Prefetch none;
        const k::WeightGradient<T> g{in, out, rows, l.x.data, l.ld, l.dy.data, l.ld, dW.data, out, with, &none, nullptr};
        fill(dW, T(0.5)), fill(db, T(0.5));
        k::weights_by_dots(g, db.data);
        l.check_bias(db, before, "weights_by_dots, bias");
        l.check_weights(dW, before, "weights_by_dots");
        fill(dW, T(0.5));
        k::weights_by_outputs(g);
        l.check_weights(dW, before, "weights_by_outputs");
    }
}

// What a record of zeros lies in, exactly as large as it must be.
template <class T>
struct Record {
    Buffer<std::uint64_t> words;
    chainrule::Nonzero known;

    Record(ptrdiff_t in, ptrdiff_t ld)
        : words((in + 63) / 64 * (ld / k::lanes<T>) + (in + 3) / 4 * ((ld + 63) / 64)),
          known{words.data, (in + 63) / 64, words.data + (in + 63) / 64 * (ld / k::lanes<T>), (ld + 63) / 64} {}
};

// What is not a number may differ in its sign, which means nothing.
template <class T>
bool same_bits(const Buffer<T>& a, const Buffer<T>& b) {
    for (ptrdiff_t i = 0; i < a.size; ++i) {
        const bool same = std::memcmp(&a.data[i], &b.data[i], sizeof(T)) == 0;
        if (!same && !(std::isnan(a.data[i]) && std::isnan(b.data[i]))) return false;
    }
    return true;
}

enum class Pattern { dense, scattered, columns, nothing, not_finite, count };

// Leaving out zeros must give the bits of the whole product: scattered zeros, columns and rows of them, nothing else, NaN and
// infinity among the values, and products too small for a number, which leave a zero of either sign.
template <class T>
void test_nonzero(ptrdiff_t in, ptrdiff_t out, ptrdiff_t rows, Pattern pattern) {
    const ptrdiff_t ld = k::round_up(rows, 16);
    Buffer<T> source(in * rows, false), x(in * ld), W(in * out, false), bias(out, false), dy(out * ld), y(out * ld), whole(out * ld);
    Buffer<T> dW(in * out, false), all(in * out, false);
    randomize(source), randomize(W), randomize(bias), randomize(dy);
    for (ptrdiff_t r = 0; r < rows; ++r) {
        for (ptrdiff_t i = 0; i < in; ++i) {
            T& value = source[r * in + i];
            const bool kept = pattern == Pattern::dense || (pattern == Pattern::columns ? i % 23 == 5 && r % 9 != 3 : random_bits() % 5 == 0);
            if (!kept || pattern == Pattern::nothing) value = T(0);
            if (pattern == Pattern::scattered && random_bits() % 7 == 0) value = random_bits() % 2 ? -T(0) : std::numeric_limits<T>::min();
            if (pattern == Pattern::not_finite && random_bits() % 50 == 0) {
                value = random_bits() % 2 ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::quiet_NaN();
            }
        }
    }
    for (ptrdiff_t i = 0; i < W.size; i += 11) W[i] = -std::numeric_limits<T>::min();
    for (ptrdiff_t i = 0; i < dy.size; i += 13) dy[i] = -std::numeric_limits<T>::min();
    Record<T> record(in, ld);
    std::vector<const unsigned char*> at;
    for (ptrdiff_t r = 0; r < rows; ++r) at.push_back(reinterpret_cast<unsigned char*>(source.data + r * in));
    for (ptrdiff_t r = 0; r < rows; r += 64) {
        k::gather<T, T>(in, {at.data() + r, rows - r < 64 ? rows - r : 64, T(1), &record.known, r}, x.data + r, ld);
    }
    for (ptrdiff_t i = 0; i < in; ++i) {
        for (ptrdiff_t r = 0; r < rows; ++r) {
            check(std::memcmp(&x[i * ld + r], &source[r * in + i], sizeof(T)) == 0, "gather beside its record", in, rows);
            const bool some = x[i * ld + r] != T(0);
            const bool feature = record.known.features[r / k::lanes<T> * record.known.feature_words + i / 64] >> (i % 64) & 1;
            const bool row = record.known.rows[i / 4 * record.known.row_words + r / 64] >> (r % 64) & 1;
            check(!some || (feature && row), "a value that is not zero is noted", in, rows);
            check(pattern != Pattern::nothing || (!feature && !row), "zeros are noted as zeros", in, rows);
        }
    }
    k::Prefetch none;
    for (const bool with : {false, true}) {
        k::dense_forward<T>(in, out, rows, W.data, out, with ? bias.data : nullptr, x.data, ld, whole.data, ld);
        k::forward_nonzero<T>(record.known, in, out, rows, W.data, out, with ? bias.data : nullptr, x.data, ld, y.data, ld, &none);
        check(same_bits(y, whole), "forward without zeros: the same bits", in, out, rows);
        for (const T bad : {T(1), std::numeric_limits<T>::infinity(), std::numeric_limits<T>::quiet_NaN()}) {
            const T before = dy[out / 2 * ld + rows / 2];
            dy[out / 2 * ld + rows / 2] = bad;
            fill(dW, T(0.5)), fill(all, T(0.5));
            k::weights_by_outputs<T>({in, out, rows, x.data, ld, dy.data, ld, dW.data, out, with, &none, &record.known});
            k::weights_by_outputs<T>({in, out, rows, x.data, ld, dy.data, ld, all.data, out, with, &none, nullptr});
            check(same_bits(dW, all), "weights without zeros: the same bits", in, out, rows);
            dy[out / 2 * ld + rows / 2] = before;
        }
    }
    check(k::all_finite(W.data, in, out, out), "finite", in, out);
    for (const T bad : {std::numeric_limits<T>::infinity(), std::numeric_limits<T>::quiet_NaN()}) {
        const ptrdiff_t where = static_cast<ptrdiff_t>(random_bits() % static_cast<unsigned>(W.size));
        const T before = W[where];
        W[where] = bad;
        check(!k::all_finite(W.data, in, out, out), "not finite", in, out);
        W[where] = before;
    }
}

// Tiles of units by moved pointers, as the runtime divides wide layers between threads.
template <class T>
void test_tiles(ptrdiff_t in, ptrdiff_t out, ptrdiff_t rows) {
    Layer<T> l(in, out, rows);
    Buffer<T> y(out * l.ld), dx(in * l.ld), dW(in * out, false);
    const ptrdiff_t o = out / 2, i = in / 3 / k::lanes<T> * k::lanes<T>;
    for (const ptrdiff_t part : {0, 1}) {
        const ptrdiff_t from = part ? o : 0, count = part ? out - o : o, first = part ? i : 0, units = part ? in - i : i;
        k::dense_forward<T>(in, count, rows, l.W.data + from, out, l.bias.data + from, l.x.data, l.ld, y.data + from * l.ld, l.ld);
        k::dense_backward_input<T>(units, out, rows, l.W.data + first * out, out, l.dy.data, l.ld, dx.data + first * l.ld, l.ld, false);
        k::dense_backward_weights<T>(units, out, rows, l.x.data + first * l.ld, l.ld, l.dy.data, l.ld,
                                     dW.data + first * out, out, nullptr, false);
    }
    l.check_forward(y, true, "forward, in tiles");
    l.check_input(dx, 0, "backward to input, in tiles");
    l.check_weights(dW, 0, "weights, in tiles");
}

template <class T, class From>
void test_gather(ptrdiff_t units, ptrdiff_t rows) {
    const ptrdiff_t ld = k::round_up(rows, 64 / sizeof(T));
    Buffer<From> source(units * rows, false);
    std::vector<const unsigned char*> at;
    for (ptrdiff_t i = 0; i < source.size; ++i) source[i] = static_cast<From>(random_bits() % 256);
    for (ptrdiff_t r = 0; r < rows; ++r) at.push_back(reinterpret_cast<unsigned char*>(source.data + (rows - 1 - r) * units));
    Buffer<T> x(units * ld);
    fill(x, T(7));
    const T scale = T(1) / T(255);
    check(k::gather<T, From>(units, {at.data(), rows, scale, nullptr, 0}, x.data, ld), "gather, finite", units, rows);
    const ptrdiff_t end = k::round_up(rows, k::lanes<T>);
    for (ptrdiff_t u = 0; u < units; ++u) {
        for (ptrdiff_t r = 0; r < end; ++r) {
            const T expected = r < rows ? static_cast<T>(source[(rows - 1 - r) * units + u]) * scale : T(0);
            check(x[u * ld + r] == expected, "gather", units, rows);
        }
    }
    if constexpr (sizeof(From) > 1) {
        for (const From bad : {std::numeric_limits<From>::infinity(), std::numeric_limits<From>::quiet_NaN()}) {
            const ptrdiff_t where = static_cast<ptrdiff_t>(random_bits() % static_cast<unsigned>(source.size));
            const From kept = source[where];
            source[where] = bad;
            check(!k::gather<T, From>(units, {at.data(), rows, scale, nullptr, 0}, x.data, ld), "gather, not finite", units, rows);
            source[where] = kept;
        }
    }
}

// The distance of got from the true value in units in the last place of T.
template <class T>
long double ulps(T got, long double expected) {
    if (std::isnan(expected)) return std::isnan(got) ? 0 : 1e9L;
    const T nearest = static_cast<T>(expected);
    if (std::isinf(got) || std::isinf(nearest)) return got == nearest ? 0 : 1e9L;
    int exponent;
    std::frexp(nearest, &exponent);
    if (exponent < std::numeric_limits<T>::min_exponent) exponent = std::numeric_limits<T>::min_exponent;
    return std::fabs(static_cast<long double>(got) - expected) / std::ldexp(1.0L, exponent - std::numeric_limits<T>::digits);
}

template <class T, class Fast, class True>
void test_function(const char* name, double low, double high, double allowed, Fast fast, True exact) {
    constexpr int n = k::lanes<T>;
    std::uniform_real_distribution<double> uniform(low, high), power(-45, 5);
    long double worst = 0;
    T worst_at = 0;
    const auto one = [&](const T* at) {
        T out[n];
        k::store<T>(out, fast(k::load<T>(at)));
        for (int i = 0; i < n; ++i) {
            const long double error = ulps(out[i], exact(static_cast<long double>(at[i])));
            if (error > worst) worst = error, worst_at = at[i];
        }
    };
    T at[n];
    for (int round = 0; round < 200000 / n; ++round) {
        for (int i = 0; i < n; ++i) at[i] = static_cast<T>(uniform(random_bits));
        one(at);
        for (int i = 0; i < n; ++i) {  // all magnitudes, both signs
            const double v = std::pow(10.0, power(random_bits)) * (random_bits() % 2 ? 1 : -1);
            at[i] = static_cast<T>(v < low ? low : v > high ? high : v);
        }
        one(at);
    }
    constexpr T infinity = std::numeric_limits<T>::infinity();
    for (const T special : {T(0), -T(0), infinity, -infinity, std::numeric_limits<T>::quiet_NaN(), std::numeric_limits<T>::denorm_min(),
                            std::numeric_limits<T>::min(), std::numeric_limits<T>::max(), -std::numeric_limits<T>::max(), T(1), T(-1),
                            T(1e4), T(-1e4), T(88.7), T(-103.5), T(709.7), T(-745), T(-1) + std::numeric_limits<T>::epsilon()}) {
        for (int i = 0; i < n; ++i) at[i] = T(0.5);
        at[n - 1] = special;
        one(at);
    }
    for (const T zero : {T(0), -T(0)}) {  // the sign of zero
        for (int i = 0; i < n; ++i) at[i] = zero;
        T out[n];
        k::store<T>(out, fast(k::load<T>(at)));
        check(std::signbit(out[0]) == std::signbit(exact(static_cast<long double>(zero))), name);
    }
    std::printf("%-9s %-7s worst %.2Lf ulp at %.9Lg\n", name, sizeof(T) == 4 ? "float" : "double", worst, static_cast<long double>(worst_at));
    check(worst <= allowed, name);
}

template <class T>
void test_math() {
    using V = k::Vec<T>;
    const double tail = sizeof(T) == 4 ? 110 : 750;
    test_function<T>("exp", -tail, tail, 1.5, [](V v) { return k::exp<T>(v); }, [](long double v) { return std::exp(v); });
    test_function<T>("expm1", -tail, tail, 2, [](V v) { return k::expm1<T>(v); }, [](long double v) { return std::expm1(v); });
    test_function<T>("log", 0, 1e5, 1, [](V v) { return k::log<T>(v); }, [](long double v) { return std::log(v); });
    test_function<T>("log1p", -1, 1e5, 1, [](V v) { return k::log1p<T>(v); }, [](long double v) { return std::log1p(v); });
    test_function<T>("tanh", -20, 20, 2.5, [](V v) { return k::tanh<T>(v); }, [](long double v) { return std::tanh(v); });
    test_function<T>("sigmoid", -tail, tail, 2.5, [](V v) { return k::sigmoid<T>(v); },
                     [](long double v) { return v >= 0 ? 1 / (1 + std::exp(-v)) : std::exp(v) / (1 + std::exp(v)); });
    test_function<T>("softplus", -tail, tail, 2.5, [](V v) { return k::softplus<T>(v); },
                     [](long double v) { return std::isnan(v) ? v : std::fmax(v, 0.0L) + std::log1p(std::exp(-std::fabs(v))); });
    test_function<T>("erf", -6, 6, 1.3, [](V v) { return k::erf<T>(v); }, [](long double v) { return std::erf(v); });
    test_function<T>("sin", -5000, 5000, 1.2, [](V v) { return k::sin<T>(v); }, [](long double v) { return std::sin(v); });
    test_function<T>("cos", -5000, 5000, 1.2, [](V v) { return k::cos<T>(v); }, [](long double v) { return std::cos(v); });
    test_function<T>("sqrt", 0, 1e5, 0.51, [](V v) { return k::square_root<T>(v); }, [](long double v) { return std::sqrt(v); });
}

template <class T>
void test_vectors() {
    constexpr int n = k::lanes<T>;
    const T nan = std::numeric_limits<T>::quiet_NaN();
    T a[n * n], b[n * n];
    for (int i = 0; i < n * n; ++i) a[i] = static_cast<T>(i);
    k::Vec<T> v[n];
    for (int i = 0; i < n; ++i) v[i] = k::load(a + i * n);
    k::transpose<T>(v);
    for (int i = 0; i < n; ++i) k::store<T>(b + i * n, v[i]);
    for (int i = 0; i < n; ++i) {
        for (int j = 0; j < n; ++j) check(b[j * n + i] == a[i * n + j], "transpose", i, j);
    }
    for (int i = 0; i < n; ++i) v[i] = k::load(a + i * n);
    const k::Vec<T> sums = k::sum_each<T>(v);
    for (int i = 0; i < n; ++i) {
        check(sums[i] == k::horizontal_sum<T>(k::load(a + i * n)), "sum_each", i);
        check(k::horizontal_maximum<T>(k::load(a + i * n)) == a[i * n + n - 1], "horizontal_maximum", i);
    }
    const k::Vec<T> nans = k::broadcast<T>(nan), ones = k::broadcast<T>(1);
    check(std::isnan(k::maximum<T>(nans, ones)[0]) && std::isnan(k::maximum<T>(ones, nans)[0]), "maximum of NaN");
    check(std::isnan(k::minimum<T>(nans, ones)[0]) && std::isnan(k::minimum<T>(ones, nans)[0]), "minimum of NaN");
    for (int count = 0; count < n; ++count) {
        Buffer<T> some(count, false);
        randomize(some);
        const k::Vec<T> loaded = k::load_first<T>(some.data, count);
        for (int i = 0; i < n; ++i) check(loaded[i] == (i < count ? some[i] : T(0)), "load_first", count);
        k::store_first<T>(some.data, loaded + T(1), count);
        for (int i = 0; i < count; ++i) check(some[i] == loaded[i] + T(1), "store_first", count);
    }
}

template <class T>
void test_all() {
    test_vectors<T>();
    test_math<T>();
    for (ptrdiff_t width = 1; width <= 70; ++width) {
        const ptrdiff_t rows = 1 + width * 7 % 67;
        test_skinny<T>(width, 1 + width * 5 % 23, rows);
        test_skinny<T>(1 + width * 3 % 19, width, rows + 1);
        test_tiles<T>(width, 71 - width, rows);
        test_gather<T, float>(width, rows);
        test_gather<T, double>(width, rows);
        test_gather<T, unsigned char>(width, rows);
    }
    for (ptrdiff_t rows = 1; rows <= 70; ++rows) test_skinny<T>(4, 3, rows);
    for (int pattern = 0; pattern < static_cast<int>(Pattern::count); ++pattern) {
        for (ptrdiff_t width = 16; width <= 70; ++width) test_nonzero<T>(width, 1 + width * 5 % 67, 1 + width * 7 % 150, static_cast<Pattern>(pattern));
        test_nonzero<T>(1100, 20, 70, static_cast<Pattern>(pattern));  // sums in two parts
        test_nonzero<T>(130, 300, 333, static_cast<Pattern>(pattern));
    }
    test_skinny<T>(130, 75, 150);
    test_tiles<T>(300, 290, 290);
    test_tiles<T>(2100, 2, 3);
    test_tiles<T>(3, 2100, 17);
}

}  // namespace

int main() {
    test_all<float>();
    test_all<double>();
    std::printf(failures ? "%d checks failed\n" : "all kernels agree\n", failures);
    return failures != 0;
}
