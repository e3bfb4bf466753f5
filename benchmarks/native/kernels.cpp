// What the kernels reach on this machine, next to its own multiply-add peak.
//
//   g++ -std=c++20 -O3 -fno-math-errno -ffp-contract=fast -mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -DCHAINRULE_ISA=avx512
//       -Isrc/native benchmarks/native/kernels.cpp -o kernels -pthread && ./kernels
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <random>
#include <thread>
#include <vector>

#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

#include "gather.hpp"
#include "math.hpp"
#include "products.hpp"

namespace k = chainrule::CHAINRULE_ISA;
using std::ptrdiff_t;

#if defined(__x86_64__)
#define VECTOR_REGISTER "+x"
#define PAUSE() __builtin_ia32_pause()
#else
#define VECTOR_REGISTER "+w"
#define PAUSE() __asm__ volatile("yield")
#endif

namespace {

double now() {
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double best_of(int times, const std::function<void()>& work) {
    double best = 1e9;
    for (int i = 0; i < times; ++i) {
        const double start = now();
        work();
        const double taken = now() - start;
        if (taken < best) best = taken;
    }
    return best;
}

// Times a stretch of work part by part, over and over; the sum of every part's best time is what the work takes when no
// neighbour interferes.
struct Parts {
    std::vector<double> best;
    std::size_t part = 0;
    double started = 0;

    void start() { part = 0, started = now(); }
    void next() {
        const double at = now(), taken = at - started;
        if (part == best.size()) best.push_back(taken);
        best[part] = std::min(best[part], taken);
        ++part, started = at;
    }
    double sum() const {
        double total = 0;
        for (double b : best) total += b;
        return total;
    }
};

void flush_denormals() {
#if defined(__x86_64__)
    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8040);
#endif
}

template <class T>
struct Buffer {
    ptrdiff_t size;
    T* data;
    explicit Buffer(ptrdiff_t size_ = 0) : size(size_), data(nullptr) {
        const std::size_t bytes = static_cast<std::size_t>(k::round_up(size * static_cast<ptrdiff_t>(sizeof(T)), 64) + 64);
        const bool large = bytes > (4u << 20);
        void* memory = nullptr;
        if (posix_memalign(&memory, large ? (2u << 20) : 64, bytes) != 0) std::abort();
        if (large) madvise(memory, bytes, MADV_HUGEPAGE);  // as NumPy does
        data = static_cast<T*>(memory);
        for (ptrdiff_t i = 0; i < size; ++i) data[i] = T(0);
    }
    Buffer(Buffer&& other) noexcept : size(other.size), data(other.data) { other.data = nullptr; }
    Buffer(const Buffer&) = delete;
    ~Buffer() { std::free(data); }
    T& operator[](ptrdiff_t i) { return data[i]; }
};

template <class T>
void randomize(Buffer<T>& b, double scale) {
    std::mt19937 bits(3);
    std::uniform_real_distribution<double> uniform(-scale, scale);
    for (ptrdiff_t i = 0; i < b.size; ++i) b[i] = static_cast<T>(uniform(bits));
}

void on_threads(int threads, const std::function<void(int)>& work);

// GFLOP/s of nothing but multiply-adds on independent registers, on every thread at once.
template <class T>
double peak(int threads) {
    std::atomic<int> ready{0};
    std::vector<double> rate(static_cast<std::size_t>(threads));
    const auto work = [&](int t) {
        ready.fetch_add(1);
        while (ready.load() < threads) {
        }
        const double taken = best_of(30, [] {
            k::Vec<T> sum[12];
            CHAINRULE_UNROLL
            for (int i = 0; i < 12; ++i) sum[i] = k::Vec<T>{};
            k::Vec<T> a = k::broadcast<T>(T(0.5)), b = k::broadcast<T>(T(0.25));
            __asm__ volatile("" : VECTOR_REGISTER(a), VECTOR_REGISTER(b));
            for (int i = 0; i < 20000; ++i) {
                CHAINRULE_UNROLL
                for (int j = 0; j < 12; ++j) {
                    sum[j] = k::fma<T>(a, b, sum[j]);
                    __asm__ volatile("" : VECTOR_REGISTER(sum[j]));
                }
            }
        });
        rate[static_cast<std::size_t>(t)] = 20000.0 * 12 * 2 * k::lanes<T> / taken / 1e9;
    };
    on_threads(threads, work);
    double sum = 0;
    for (double r : rate) sum += r;
    return sum;
}

void row(const char* what, double seconds, double flops, double peak_rate) {
    std::printf("%-58s %12.3f us %8.1f GFLOP/s %5.0f %%\n", what, seconds * 1e6, flops / seconds / 1e9, 100 * flops / seconds / 1e9 / peak_rate);
}

// ---- one product at a time

template <class T>
void products(ptrdiff_t in, ptrdiff_t out, ptrdiff_t rows, double limit) {
    const ptrdiff_t ld = k::round_up(rows, 64 / sizeof(T));
    Buffer<T> W(in * out), bias(out), x(in * ld), y(out * ld), dx(in * ld), dW(in * out);
    randomize(W, 1), randomize(x, 1), randomize(y, 1);
    const double flops = 2.0 * static_cast<double>(in * out * rows);
    const int inner = static_cast<int>(2e6 / flops) + 1;
    char name[96];
    const auto measure = [&](const char* what, const std::function<void()>& call) {
        std::snprintf(name, sizeof name, "%s %ld-%ld, %ld rows, %s", what, static_cast<long>(in), static_cast<long>(out),
                      static_cast<long>(rows), sizeof(T) == 4 ? "float" : "double");
        row(name, best_of(flops > 1e8 ? 20 : 200, [&] { for (int i = 0; i < inner; ++i) call(); }) / inner, flops, limit);
    };
    measure("forward", [&] { k::dense_forward<T>(in, out, rows, W.data, out, bias.data, x.data, ld, y.data, ld); });
    measure("backward to input", [&] { k::dense_backward_input<T>(in, out, rows, W.data, out, y.data, ld, dx.data, ld, false); });
    measure("weights", [&] {
        k::dense_backward_weights<T>(in, out, rows, x.data, ld, y.data, ld, dW.data, out, bias.data, false); });
}

// ---- 784-20-10, segment by segment as the engine runs it

constexpr ptrdiff_t inputs = 784, hidden = 20, classes = 10, batch = 256, all_rows = 60000;

template <class T>
inline constexpr ptrdiff_t segment = 256 / static_cast<ptrdiff_t>(sizeof(T));  // rows; the block stays in the L2 cache

struct Barrier {
    int threads;
    std::atomic<int> arrived{0}, phase{0};
    void wait() {
        if (threads == 1) return;
        const int seen = phase.load(std::memory_order_relaxed);
        if (arrived.fetch_add(1) + 1 == threads) {
            arrived.store(0);
            phase.store(seen + 1);
        } else {
            while (phase.load(std::memory_order_acquire) == seen) PAUSE();
        }
    }
};

// A core for each thread: two that spin at a barrier must not share one.
void pin(int t) {
#if defined(__linux__)
    cpu_set_t allowed, one;
    CPU_ZERO(&one);
    if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (CPU_ISSET(cpu, &allowed) && t-- == 0) CPU_SET(cpu, &one);
    }
    if (CPU_COUNT(&one) == 1) pthread_setaffinity_np(pthread_self(), sizeof one, &one);
#endif
}

// Runs work(thread) on that many threads, with denormals flushed on each.
void on_threads(int threads, const std::function<void(int)>& work) {
    std::vector<std::thread> others;
    for (int t = 0; t < threads; ++t) others.emplace_back([&, t] { pin(t), flush_denormals(), work(t); });
    for (auto& t : others) t.join();
}

template <class T, class F>
void each_vector(ptrdiff_t count, F body) {
    for (ptrdiff_t i = 0; i < count; i += k::lanes<T>) body(i);
}

// Scores to their gradient, in place; the sum of losses is returned.
template <class T>
T softmax_loss(T* scores, ptrdiff_t ld, const int* labels, ptrdiff_t rows, T weight) {
    using V = k::Vec<T>;
    V losses{};
    for (ptrdiff_t r = 0; r < rows; r += k::lanes<T>) {
        T* p = scores + r;
        V top = k::load(p), sum{}, chosen{};
        for (int u = 1; u < classes; ++u) top = k::larger<T>(k::load(p + u * ld), top);
        k::Mask<T> label;
        for (int j = 0; j < k::lanes<T>; ++j) label[j] = labels[r + j];
        for (int u = 0; u < classes; ++u) {
            const V shifted = k::load(p + u * ld) - top, e = k::exp<T>(shifted);
            chosen = k::select<T>(label == u, shifted, chosen);
            sum += e;
            k::store<T>(p + u * ld, e);
        }
        losses += k::log<T>(sum) - chosen;
        const V factor = weight / sum;
        for (int u = 0; u < classes; ++u) {
            const V e = k::load(p + u * ld) * factor;
            k::store<T>(p + u * ld, k::select<T>(label == u, e - weight, e));
        }
    }
    return k::horizontal_sum<T>(losses);
}

template <class T>
struct Parameters {
    Buffer<T> theta;
    T *W1, *b1, *W2, *b2;
    Parameters() : theta(inputs * hidden + hidden + hidden * classes + classes) {
        W1 = theta.data, b1 = W1 + inputs * hidden, W2 = b1 + hidden, b2 = W2 + hidden * classes;
    }
};

// An image of 28 x 28: without zeros, or a blot in the middle as large as a written digit, 81 % zeros in all.
template <class From>
void draw(From* image, bool zeros, std::mt19937& bits) {
    for (ptrdiff_t i = 0; i < inputs; ++i) image[i] = static_cast<From>(zeros ? 0 : 1 + bits() % 255);
    if (!zeros) return;
    double at_row = 14, at_column = 14;
    for (int step = 0; step < 30; ++step) {
        at_row = std::clamp(at_row + static_cast<double>(bits() % 9) / 2 - 2, 4.0, 23.0);
        at_column = std::clamp(at_column + static_cast<double>(bits() % 9) / 2 - 2, 4.0, 23.0);
        for (int i = -1; i <= 2; ++i) {
            for (int j = -1; j <= 2; ++j) {
                image[(static_cast<int>(at_row) + i) * 28 + static_cast<int>(at_column) + j] = static_cast<From>(1 + bits() % 255);
            }
        }
    }
}

template <class T, class From>
struct Data {
    Buffer<From> X{all_rows * inputs};
    std::vector<int> labels;
    std::vector<const unsigned char*> rows;
    explicit Data(bool zeros) : labels(all_rows + 64), rows(all_rows) {
        std::mt19937 bits(5);
        for (ptrdiff_t r = 0; r < all_rows; ++r) draw(X.data + r * inputs, zeros, bits);
        for (auto& l : labels) l = static_cast<int>(bits() % classes);
        for (ptrdiff_t r = 0; r < all_rows; ++r) rows[static_cast<std::size_t>(r)] = reinterpret_cast<const unsigned char*>(X.data + r * inputs);
    }
    void shuffle() { std::shuffle(rows.begin(), rows.end(), std::mt19937(11)); }

    k::Prefetch ahead(ptrdiff_t first) const {
        return k::Prefetch(rows.data() + first, std::clamp<ptrdiff_t>(all_rows - first, 0, segment<T>), inputs * sizeof(From));
    }
};

template <class T>
struct Worker {
    static constexpr ptrdiff_t ld = segment<T>, words = (inputs + 63) / 64, vectors = ld / k::lanes<T>;
    Buffer<std::uint64_t> bits{words * vectors + inputs / 4};
    chainrule::Nonzero known{bits.data, words, bits.data + words * vectors, 1};
    Buffer<T> x{inputs * ld}, h{hidden * ld}, dh{hidden * ld}, s{classes * ld};
    double loss = 0;

    template <class From, bool Sigmoid>
    void run(const Data<T, From>& data, ptrdiff_t first, ptrdiff_t rows, ptrdiff_t next, T weight, const Parameters<T>& p, Parameters<T>& g,
             bool accumulate) {
        using V = k::Vec<T>;
        const int* labels = data.labels.data() + first;
        k::Prefetch ahead = data.ahead(next);
        std::fill_n(bits.data, bits.size, 0);
        k::gather<T, From>(inputs, {data.rows.data() + first, rows, T(1) / T(255), &known, 0}, x.data, ld);
        k::dense_forward<T>(inputs, hidden, rows, p.W1, hidden, p.b1, x.data, ld, h.data, ld, &known, &ahead);
        each_vector<T>(hidden * ld, [&](ptrdiff_t i) {
            const V v = k::load(h.data + i);
            k::store<T>(h.data + i, Sigmoid ? k::sigmoid<T>(v) : (v < T(0) ? V{} : v));
        });
        k::dense_forward<T>(hidden, classes, rows, p.W2, classes, p.b2, h.data, ld, s.data, ld);
        loss += softmax_loss<T>(s.data, ld, labels, rows, weight);
        k::dense_backward_weights<T>(hidden, classes, rows, h.data, ld, s.data, ld, g.W2, classes, g.b2, accumulate);
        k::dense_backward_input<T>(hidden, classes, rows, p.W2, classes, s.data, ld, dh.data, ld, false);
        each_vector<T>(hidden * ld, [&](ptrdiff_t i) {
            const V d = k::load(dh.data + i), v = k::load(h.data + i);
            k::store<T>(dh.data + i, Sigmoid ? d * v * (T(1) - v) : (v > T(0) ? d : V{}));
        });
        k::dense_backward_weights<T>(inputs, hidden, rows, x.data, ld, dh.data, ld, g.W1, hidden, g.b1, accumulate, &known, &ahead);
    }
};

template <class T>
void descend(T* theta, const T* a, const T* b, T rate, ptrdiff_t from, ptrdiff_t to) {
    for (; from + k::lanes<T> <= to; from += k::lanes<T>) {
        k::store<T>(theta + from, k::load(theta + from) - rate * (k::load(a + from) + k::load(b + from)));
    }
    for (; from < to; ++from) theta[from] -= rate * (a[from] + b[from]);
}

// Four segments of a batch, the gradients of each pair in one buffer; then every thread updates its share.
template <class T, class From>
double epoch(Data<T, From>& data, int threads, int times) {
    Parameters<T> p;
    randomize(p.theta, 0.05);
    std::vector<Parameters<T>> partial(2);
    std::vector<Worker<T>> workers(static_cast<std::size_t>(threads));
    Barrier barrier{threads};
    Parts parts;
    on_threads(threads, [&](int t) {
        Worker<T>& w = workers[static_cast<std::size_t>(t)];
        const ptrdiff_t size = p.theta.size, middle = k::round_up(size / 2, 16);
        for (int e = 0; e < times; ++e) {
            barrier.wait();
            if (t == 0) parts.start();
            for (ptrdiff_t first = 0; first < all_rows; first += batch) {
                const ptrdiff_t last = std::min(first + batch, all_rows), segments = (last - first + segment<T> - 1) / segment<T>;
                const ptrdiff_t begin = segments * t / threads, end = segments * (t + 1) / threads;
                for (ptrdiff_t s = begin; s < end; ++s) {
                    const ptrdiff_t r = first + s * segment<T>, next = s + 1 < end ? r + segment<T> : first + batch + begin * segment<T>;
                    w.template run<From, false>(data, r, std::min(segment<T>, last - r), next, T(1) / static_cast<T>(last - first), p,
                                                partial[s * 2 >= segments], s != 0 && s * 2 != segments);
                }
                barrier.wait();
                descend(p.theta.data, partial[0].theta.data, partial[1].theta.data, T(0.1), t == 0 ? 0 : middle,
                        t == threads - 1 ? size : middle);
                barrier.wait();
                if (t == 0 && first / batch % 2 == 1) parts.next();
            }
            if (t == 0) parts.next();
        }
    });
    return parts.sum();
}

// Loss and gradient of all rows at once: every thread adds up its own half.
template <class T>
double full_batch(Data<T, T>& data, int threads, int times) {
    Parameters<T> p;
    randomize(p.theta, 0.05);
    std::vector<Parameters<T>> partial(static_cast<std::size_t>(threads));
    std::vector<Worker<T>> workers(static_cast<std::size_t>(threads));
    Barrier barrier{threads};
    Parts parts;
    constexpr ptrdiff_t stretch = 4 * 64;
    on_threads(threads, [&](int t) {
        for (int e = 0; e < times; ++e) {
            barrier.wait();
            if (t == 0) parts.start();
            const ptrdiff_t begin = all_rows * t / threads, end = all_rows * (t + 1) / threads;
            for (ptrdiff_t r = begin; r < end; r += segment<T>) {
                workers[static_cast<std::size_t>(t)].template run<T, true>(data, r, std::min(segment<T>, end - r), r + segment<T>,
                                                                          T(1) / all_rows, p, partial[static_cast<std::size_t>(t)], r != begin);
                if ((r - begin) % stretch == stretch - segment<T>) {
                    barrier.wait();
                    if (t == 0) parts.next();
                }
            }
            barrier.wait();
            if (t == 0) parts.next();
        }
    });
    return parts.sum();
}

// ---- 784-512-512-10: threads share the outputs of every product

double wide_step(int threads, int times) {
    using T = float;
    constexpr ptrdiff_t ld = batch, wide = 512, widths[] = {inputs, wide, wide, classes};
    Data<T, T> data(false);
    data.shuffle();
    std::vector<Buffer<T>> W, dW, y, dy;
    for (int l = 0; l < 3; ++l) {
        W.emplace_back((widths[l] + 1) * widths[l + 1]), dW.emplace_back((widths[l] + 1) * widths[l + 1]);
        randomize(W.back(), 0.05);
    }
    for (ptrdiff_t w : widths) y.emplace_back(w * ld), dy.emplace_back(w * ld);
    Barrier barrier{threads};
    Parts parts;
    on_threads(threads, [&](int t) {
        const auto share = [&](ptrdiff_t width, int thread) { return thread == threads ? width : k::round_up(width * thread / threads, 16); };
        for (int e = 0; e < times; ++e) {
            barrier.wait();
            if (t == 0) parts.start();
            for (ptrdiff_t first = 0; first < 8 * batch; first += batch) {
                const ptrdiff_t r0 = share(batch, t), r1 = share(batch, t + 1);
                k::gather<T, T>(inputs, {data.rows.data() + first + r0, r1 - r0, T(1) / T(255), nullptr, 0}, y[0].data + r0, ld);
                barrier.wait();
                for (std::size_t l = 0; l < 3; ++l) {
                    const ptrdiff_t in = widths[l], out = widths[l + 1], o = std::min(share(out, t), out), count = std::min(share(out, t + 1), out) - o;
                    T* to = y[l + 1].data + o * ld;
                    k::dense_forward<T>(in, count, batch, W[l].data + o, out, W[l].data + in * out + o, y[l].data, ld, to, ld);
                    if (l < 2) each_vector<T>(count * ld, [&](ptrdiff_t i) { k::store<T>(to + i, k::larger<T>(k::load(to + i), k::Vec<T>{})); });
                    barrier.wait();
                }
                softmax_loss<T>(y[3].data + r0, ld, data.labels.data() + first + r0, r1 - r0, T(1) / batch);
                barrier.wait();
                for (int l = 2; l >= 0; --l) {
                    const ptrdiff_t in = widths[l], out = widths[l + 1], i = share(in, t), count = share(in, t + 1) - i;
                    const T* up = l == 2 ? y[3].data : dy[static_cast<std::size_t>(l) + 1].data;
                    T* g = dW[static_cast<std::size_t>(l)].data;
                    T* w = W[static_cast<std::size_t>(l)].data;
                    k::dense_backward_weights<T>(count, out, batch, y[static_cast<std::size_t>(l)].data + i * ld, ld, up, ld,
                                                 g + i * out, out, t == 0 ? g + in * out : nullptr, false);
                    if (l > 0) {
                        T *d = dy[static_cast<std::size_t>(l)].data + i * ld, *h = y[static_cast<std::size_t>(l)].data + i * ld;
                        k::dense_backward_input<T>(count, out, batch, w + i * out, out, up, ld, d, ld, false);
                        each_vector<T>(count * ld, [&](ptrdiff_t j) { k::store<T>(d + j, k::load(h + j) > T(0) ? k::load(d + j) : k::Vec<T>{}); });
                    }
                    barrier.wait();
                    for (ptrdiff_t j = i * out; j < (i + count) * out; j += k::lanes<T>) {
                        k::store<T>(w + j, k::load(w + j) - T(0.01) * k::load(g + j));
                    }
                }
                barrier.wait();
                if (t == 0) parts.next();
            }
        }
    });
    return parts.sum() / 8;
}

// ---- 2-4-2-1, tanh, ten rows, squared error, gradient descent: the calls alone, no interpreter around them

double tiny_step() {
    using T = float;
    constexpr ptrdiff_t ld = 16, rows = 10, widths[] = {2, 4, 2, 1}, size = 27;
    Buffer<T> data(100 * 2), theta(32), gradient(32), x(2 * ld), h(4 * ld), g(2 * ld), y(ld), dh(4 * ld), dg(2 * ld), dy(ld), target(100 + ld);
    randomize(data, 1), randomize(theta, 1), randomize(target, 1);
    const unsigned char* row[100];
    for (int r = 0; r < 100; ++r) row[r] = reinterpret_cast<const unsigned char*>(data.data + r * 2);
    const ptrdiff_t at[] = {0, 12, 22};
    const auto activate = [](T* p, ptrdiff_t units) { each_vector<T>(units * ld, [&](ptrdiff_t i) { k::store<T>(p + i, k::tanh<T>(k::load(p + i))); }); };
    const auto back = [](T* d, const T* v, ptrdiff_t units) {
        each_vector<T>(units * ld, [&](ptrdiff_t i) { k::store<T>(d + i, k::load(d + i) * (T(1) - k::load(v + i) * k::load(v + i))); });
    };
    constexpr int steps = 1000;
    T* p = theta.data;
    T* q = gradient.data;
    return best_of(300, [&] {
        for (int s = 0; s < steps; ++s) {
            const int first = s % 10 * 10;
            k::gather<T, T>(2, {row + first, rows, 1, nullptr, 0}, x.data, ld);
            k::dense_forward<T>(2, 4, rows, p + at[0], widths[1], p + at[0] + 8, x.data, ld, h.data, ld);
            activate(h.data, 4);
            k::dense_forward<T>(4, 2, rows, p + at[1], widths[2], p + at[1] + 8, h.data, ld, g.data, ld);
            activate(g.data, 2);
            k::dense_forward<T>(2, 1, rows, p + at[2], widths[3], p + at[2] + 2, g.data, ld, y.data, ld);
            k::store<T>(dy.data, (k::load(y.data) - k::load(target.data + first)) * T(0.1));
            k::dense_backward_weights<T>(2, 1, rows, g.data, ld, dy.data, ld, q + at[2], 1, q + at[2] + 2, false);
            k::dense_backward_input<T>(2, 1, rows, p + at[2], 1, dy.data, ld, dg.data, ld, false);
            back(dg.data, g.data, 2);
            k::dense_backward_weights<T>(4, 2, rows, h.data, ld, dg.data, ld, q + at[1], 2, q + at[1] + 8, false);
            k::dense_backward_input<T>(4, 2, rows, p + at[1], 2, dg.data, ld, dh.data, ld, false);
            back(dh.data, h.data, 4);
            k::dense_backward_weights<T>(2, 4, rows, x.data, ld, dh.data, ld, q + at[0], 4, q + at[0] + 8, false);
            for (ptrdiff_t i = 0; i < size; i += k::lanes<T>) k::store<T>(p + i, k::load(p + i) - T(0.01) * k::load(q + i));
        }
    }) / steps;
}

template <class T, class From>
void report_epochs(const char* name, bool zeros, double one, double two) {
    constexpr double flops = 2.0 * all_rows * (2.0 * inputs * hidden + 3.0 * hidden * classes);
    Data<T, From> data(zeros);
    data.shuffle();
    for (int threads = 1; threads <= 2; ++threads) {
        char text[96];
        std::snprintf(text, sizeof text, "epoch 784-20-10, %s rows%s, %d threads", name, zeros ? ", 4/5 zeros" : "", threads);
        row(text, epoch(data, threads, 20), flops, threads == 1 ? one : two);
    }
}

template <class T>
void report_full_batch(const char* name, bool zeros, double two) {
    constexpr double flops = 2.0 * all_rows * (2.0 * inputs * hidden + 3.0 * hidden * classes);
    Data<T, T> data(zeros);
    char text[96];
    std::snprintf(text, sizeof text, "loss and gradient 60000 x 784, %s%s, 2 threads", name, zeros ? ", 4/5 zeros" : "");
    row(text, full_batch(data, 2, 10), flops, two);
}

}  // namespace

int main() {
    flush_denormals();
    const double one = peak<float>(1), two = peak<float>(2), one_double = peak<double>(1), two_double = peak<double>(2);
    std::printf("peak: float %.1f GFLOP/s on one thread, %.1f on two; double %.1f, %.1f\n\n", one, two, one_double, two_double);
    const double tiny = tiny_step();
    std::printf("2-4-2-1, 10 rows: %.0f ns a step, %.1f million steps a second\n\n", tiny * 1e9, 1e-6 / tiny);
    products<float>(784, 20, 64, one);
    products<float>(20, 10, 64, one);
    products<float>(100, 100, 200, one);
    products<float>(512, 512, 256, one);
    products<float>(1024, 1024, 512, one);
    products<double>(784, 20, 32, one_double);
    products<double>(512, 512, 256, one_double);
    for (const bool zeros : {false, true}) {
        report_epochs<float, float>("float", zeros, one, two);
        report_epochs<float, unsigned char>("byte", zeros, one, two);
        report_full_batch<float>("float", zeros, two);
        report_full_batch<double>("double", zeros, two_double);
    }
    constexpr double wide_flops = 2.0 * batch * (2 * (784.0 * 512 + 512 * 512 + 5120) + 512 * 512 + 5120);
    row("step 784-512-512-10, 256 rows, 1 thread", wide_step(1, 6), wide_flops, one);
    row("step 784-512-512-10, 256 rows, 2 threads", wide_step(2, 10), wide_flops, two);
}
