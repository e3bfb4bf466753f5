// The runtime without Python: a small network by hand, every kind of rows, threads that must agree to the bit, and
// programs with random numbers in them, which must be refused or stay inside their buffers.
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include "runtime.hpp"

using namespace chainrule;

namespace {

int failures = 0;

void check(bool good, const char* what, long a = 0) {
    if (good) return;
    if (++failures <= 40) std::printf("FAILED %s (%ld)\n", what, a);
}

constexpr std::int64_t in = 37, hidden = 9, classes = 5, table = 6;

Operand rows_at(std::int64_t at, std::int64_t width, Mode mode = Mode::none, std::int64_t gradient = -1) {
    Operand o;
    o.space = Space::rows;
    o.at = at, o.width = width, o.mode = mode, o.gradient = gradient;
    return o;
}

Operand parameters_at(std::int64_t at, std::int64_t width, Mode mode = Mode::write) {
    Operand o;
    o.space = Space::parameters;
    o.at = at, o.width = width, o.mode = mode;
    return o;
}

// Cross-entropy of tanh((x W + b) * mask + E[c]) (2 V): layers, dropout, an embedding, a derived matrix.
ProgramData network(bool single) {
    ProgramData d;
    d.single = single;
    const std::int64_t W = 0, b = in * hidden, V = b + hidden, E = V + hidden * classes, end = E + table * hidden;
    d.theta_size = end;
    d.derived_size = hidden * classes;
    d.constants = {0.5};
    d.block_rows = 64;
    d.label_units = 2;
    d.nonzero_units = 48;
    const std::int64_t x = 0, z = x + in, mask = z + hidden, m = mask + hidden, e = m + hidden, s = e + hidden, h = s + hidden;
    const std::int64_t scores = h + hidden, loss = scores + classes, weight = loss + 1;
    const std::int64_t back = weight + 1;  // gradients in the same order: z m e s h scores
    const std::int64_t dz = back, dm = dz + hidden, de = dm + hidden, ds = de + hidden, dh = ds + hidden, dscores = dh + hidden;
    d.row_units = dscores + classes;
    d.weight_at = weight;
    d.output_at = loss;
    d.output_width = 1;
    d.flops_per_row = 1e5;

    Step derive;
    derive.op = Op::unary;
    derive.code = static_cast<int>(Unary::scale);
    derive.y = end, derive.width = hidden * classes, derive.alpha = 2.0;
    derive.operand[0] = parameters_at(V, hidden * classes, Mode::add);
    d.prologue = {derive};

    Step dense;
    dense.op = Op::dense;
    dense.y = z, dense.dy = dz, dense.width = hidden;
    dense.operand[0] = rows_at(x, in);
    dense.operand[0].nonzero = 0;
    dense.operand[1] = parameters_at(W, in * hidden);
    dense.operand[2] = parameters_at(b, hidden);
    Step draw;
    draw.op = Op::mask;
    draw.y = mask, draw.width = hidden, draw.alpha = 0.3, draw.group = 2;
    Step drop;
    drop.op = Op::binary;
    drop.code = static_cast<int>(Binary::multiply);
    drop.y = m, drop.dy = dm, drop.width = hidden;
    drop.operand[0] = rows_at(z, hidden, Mode::write, dz);
    drop.operand[1] = rows_at(mask, hidden);
    Step take;
    take.op = Op::take;
    take.y = e, take.dy = de, take.width = hidden, take.group = hidden;
    take.operand[0] = parameters_at(E, table * hidden, Mode::add);
    take.operand[1].space = Space::labels;
    take.operand[1].at = 1, take.operand[1].width = 1;
    Step sum;
    sum.op = Op::binary;
    sum.code = static_cast<int>(Binary::add);
    sum.y = s, sum.dy = ds, sum.width = hidden;
    sum.operand[0] = rows_at(m, hidden, Mode::write, dm);
    sum.operand[1] = rows_at(e, hidden, Mode::write, de);
    Step activate;
    activate.op = Op::unary;
    activate.code = static_cast<int>(Unary::tanh);
    activate.y = h, activate.dy = dh, activate.width = hidden;
    activate.operand[0] = rows_at(s, hidden, Mode::write, ds);
    Step last;
    last.op = Op::dense;
    last.y = scores, last.dy = dscores, last.width = classes;
    last.operand[0] = rows_at(h, hidden, Mode::write, dh);
    last.operand[1] = parameters_at(end, hidden * classes);
    Step cross;
    cross.op = Op::softmax_cross_entropy;
    cross.y = loss, cross.dy = weight, cross.width = 1, cross.fused = true, cross.alpha = 0.1;
    cross.operand[0] = rows_at(scores, classes, Mode::write, dscores);
    cross.operand[1].space = Space::labels;
    cross.operand[1].width = 1;
    Step zero;
    zero.op = Op::zero;
    zero.width = table * hidden + hidden * classes;  // E, and V, which only its double reaches
    zero.operand[0] = parameters_at(V, zero.width, Mode::none);
    d.forward = {dense, draw, drop, take, sum, activate, last, cross};
    d.backward = {zero, last, activate, sum, take, drop, dense};

    Destination from_x, from_t, from_c;
    from_x.width = in, from_x.nonzero = 0, from_x.scale = 0.25;
    from_t.space = from_c.space = Space::labels;
    from_t.width = from_c.width = 1;
    from_t.high = classes - 1;
    from_c.at = 1;
    from_c.high = table - 1;
    d.inputs = {from_x, from_t, from_c};
    return d;
}

struct Data {
    std::vector<double> x;
    std::vector<float> wide;
    std::vector<std::uint8_t> bytes;
    std::vector<std::int64_t> labels, categories;
    std::vector<double> weights, values;
    std::vector<std::int32_t> indices, indptr{0};
    std::int64_t rows;

    explicit Data(std::int64_t n) : rows(n) {
        std::mt19937 bits(static_cast<unsigned>(n));
        for (std::int64_t i = 0; i < n * in; ++i) bytes.push_back(bits() % 3 == 0 ? bits() % 7 : 0);
        x.assign(bytes.begin(), bytes.end());
        for (std::int64_t r = 0; r < n; ++r) {
            for (std::int64_t u = 0; u < in; ++u) {
                const auto value = bytes[static_cast<std::size_t>(r * in + u)];
                wide.push_back(static_cast<float>(value));
                wide.push_back(-1.0f);
                if (value == 0) continue;
                indices.push_back(static_cast<std::int32_t>(u));
                values.push_back(value);
            }
            indptr.push_back(static_cast<std::int32_t>(indices.size()));
            labels.push_back(static_cast<std::int64_t>(bits() % classes));
            categories.push_back(static_cast<std::int64_t>(bits() % table));
            weights.push_back(0.5 + static_cast<double>(bits() % 100) / 100.0);
        }
    }

    template <class T>
    static Source source(const T* data, Type type, std::int64_t rows, std::int64_t width, std::int64_t column = 1) {
        Source s;
        s.data = reinterpret_cast<const unsigned char*>(data);
        s.type = type;
        s.rows = rows, s.width = width;
        s.column_stride = column * static_cast<std::int64_t>(sizeof(T));
        s.row_stride = width * s.column_stride;
        return s;
    }

    Rows as(int kind) const {
        Rows r;
        r.count = rows;
        Source sparse = source(values.data(), Type::float64, rows, in);
        sparse.indptr = reinterpret_cast<const unsigned char*>(indptr.data());
        sparse.indices = reinterpret_cast<const unsigned char*>(indices.data());
        sparse.index_type = Type::int32;
        sparse.stored = static_cast<std::int64_t>(values.size());
        const Source sources[] = {source(x.data(), Type::float64, rows, in), source(bytes.data(), Type::uint8, rows, in),
                                  source(wide.data(), Type::float32, rows, in, 2), sparse};
        r.inputs = {sources[kind], source(labels.data(), Type::int64, rows, 1), source(categories.data(), Type::int64, rows, 1)};
        r.weight = source(weights.data(), Type::float64, rows, 1);
        r.check_finite = kind % 2 == 0;
        return r;
    }
};

template <class T>
std::vector<T> start() {
    std::vector<T> theta;
    std::mt19937 bits(5);
    std::normal_distribution<double> normal(0.0, 0.3);
    for (std::int64_t i = 0; i < network(sizeof(T) == 4).theta_size; ++i) theta.push_back(static_cast<T>(normal(bits)));
    return theta;
}

template <class T>
std::vector<double> gradient_of(const Machine<T>& machine, const std::vector<T>& theta, const Rows& rows, int threads, double* loss) {
    std::vector<double> gradient(theta.size());
    const Sums sums = machine.sums(theta.data(), rows, gradient.data(), threads, {});
    check(sums.outcome.stopped == Stopped::no, "sums end");
    *loss = sums.loss;
    return gradient;
}

template <class T>
void test_sums(const Machine<T>& machine, std::int64_t n) {
    const Data data(n);
    const auto theta = start<T>();
    double loss = 0, other = 0;
    const auto gradient = gradient_of(machine, theta, data.as(0), 1, &loss);
    for (int kind = 0; kind < 4; ++kind) {
        for (const int threads : {1, 2, 3}) {
            check(gradient_of(machine, theta, data.as(kind), threads, &other) == gradient && loss == other, "the same bits", kind);
        }
    }
    std::vector<T> losses(static_cast<std::size_t>(n));
    machine.forward(theta.data(), data.as(1), losses.data(), 2, {});
    double total = 0;
    for (std::size_t r = 0; r < losses.size(); ++r) total += data.weights[r] * static_cast<double>(losses[r]);
    check(std::fabs(total - loss) <= 1e-5 * std::fabs(loss) + 1e-12, "forward and sums agree", n);
    if (sizeof(T) == 4) return;
    for (std::size_t i = 0; i < theta.size(); i += 7) {
        auto ahead = theta, behind = theta;
        ahead[i] += T(1e-5);
        behind[i] -= T(1e-5);
        double up = 0, down = 0;
        gradient_of(machine, ahead, data.as(0), 1, &up);
        gradient_of(machine, behind, data.as(0), 1, &down);
        const double numerical = (up - down) / 2e-5;
        check(std::fabs(numerical - gradient[i]) < 1e-5 * (1 + std::fabs(numerical)), "gradient", static_cast<long>(i));
    }
}

template <class T>
struct Trained {
    std::vector<T> theta, first, second;
    std::vector<double> losses, weights, penalties, norms;
    Outcome outcome;
};

template <class T>
Trained<T> train(const Machine<T>& machine, const Data& data, int kind, Rule rule, int threads, std::int64_t batch, std::int64_t batches,
                 std::int64_t window) {
    Trained<T> r;
    r.theta = start<T>();
    r.first.resize(r.theta.size());
    r.second.resize(r.theta.size());
    const auto length = static_cast<std::size_t>(batches);
    for (auto* report : {&r.losses, &r.weights, &r.penalties, &r.norms}) report->resize(length);
    const double rate = 0.01;
    std::atomic<int> asked{0};
    Training t;
    t.rows = data.as(kind);
    t.order = {OrderKind::shuffled, nullptr, data.rows, 3, window};
    t.rule = rule;
    t.momentum = t.rho = t.beta_1 = 0.9;
    t.beta_2 = 0.999;
    t.epsilon = 1e-8;
    t.weight_decay = rule == Rule::adam ? 0.01 : 0.0;
    t.spans = {{0, in * hidden, 1e-3, 1e-2, 1, 1}, {in * hidden, static_cast<std::int64_t>(r.theta.size()), 0, 0, 0.5, 0}};
    t.batch_size = batch;
    t.n_batches = batches;
    t.clip_norm = 0.7;
    t.rates = &rate;
    t.one_rate = true;
    t.drop = true;
    t.dropout_seed = 11;
    t.threads = threads;
    t.poll = [&] { return ++asked > 1000000; };
    t.losses = r.losses.data();
    t.weights = r.weights.data();
    t.penalties = r.penalties.data();
    t.norms = r.norms.data();
    r.outcome = machine.run_batches(r.theta.data(), r.first.data(), r.second.data(), t);
    check(r.outcome.done == batches, "all batches done", static_cast<long>(r.outcome.done));
    return r;
}

template <class T>
void test_training(const Machine<T>& machine, std::int64_t batches) {
    const Data data(301);
    for (int rule = 0; rule < static_cast<int>(Rule::count); ++rule) {
        for (const std::int64_t batch : {7, 150, 301}) {
            const auto one = train(machine, data, 0, static_cast<Rule>(rule), 1, batch, batches, 0);
            for (const int threads : {2, 3}) {
                const auto other = train(machine, data, threads, static_cast<Rule>(rule), threads, batch, batches, 0);
                check(one.theta == other.theta && one.losses == other.losses, "training: the same bits", threads);
            }
            for (const T value : one.theta) check(std::isfinite(value), "finite parameters");
        }
    }
    train(machine, data, 0, Rule::sgd, 2, 64, batches, 40);
}

template <class T>
void test_trouble(const Machine<T>& machine) {
    Data data(200);
    const auto theta = start<T>();
    std::vector<double> gradient(theta.size());
    data.labels[70] = classes;
    Sums sums = machine.sums(theta.data(), data.as(0), gradient.data(), 2, {});
    check(sums.outcome.stopped == Stopped::trouble && sums.outcome.trouble.row == 70, "a label out of range");
    data.labels[70] = 0;
    data.categories[133] = -1;
    sums = machine.sums(theta.data(), data.as(0), gradient.data(), 2, {});
    check(sums.outcome.trouble.row == 133 && sums.outcome.trouble_source == 2, "an index out of range");
    data.categories[133] = 0;
    data.x[5 * in + 3] = std::nan("");
    sums = machine.sums(theta.data(), data.as(0), gradient.data(), 1, {});
    check(sums.outcome.trouble.row == 5 && sums.outcome.trouble.what == 1, "a number that is not finite");
    data.indices[40] = 1000000;
    sums = machine.sums(theta.data(), data.as(3), gradient.data(), 1, {});
    check(sums.outcome.trouble.what == 3, "a sparse index out of range");
}

double seconds_of_this_thread() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

// Whether to stop is asked at least every 50 ms, with mini-batches of microseconds and of milliseconds; in the calling thread's own time, so that what
// else runs on the machine does not count.
template <class T>
void test_interruption(const Machine<T>& machine) {
    const Data data(5000);
    constexpr std::int64_t batches = 1 << 18;
    for (const std::int64_t batch : {1, 64, 500}) {
        auto theta = start<T>();
        std::vector<T> slot_1(theta.size()), slot_2(theta.size());
        std::vector<double> reports(4 * batches);
        const double rate = 1e-6;
        Training t;
        t.rows = data.as(0);
        t.order = {OrderKind::sequential, nullptr, data.rows, 0, 0};
        t.spans = {{0, static_cast<std::int64_t>(theta.size()), 0, 0, 1, 1}};
        t.batch_size = batch;
        t.n_batches = batches;
        t.rates = &rate;
        t.one_rate = true;
        t.threads = 2;
        t.losses = reports.data(), t.weights = t.losses + batches, t.penalties = t.weights + batches, t.norms = t.penalties + batches;
        double last = seconds_of_this_thread(), longest = 0;
        int asked = 0;
        t.poll = [&] {
            const double now = seconds_of_this_thread();
            longest = std::max(longest, now - last);
            last = now;
            return ++asked == 8;
        };
        const Outcome outcome = machine.run_batches(theta.data(), slot_1.data(), slot_2.data(), t);
        check(outcome.stopped == Stopped::interrupted && asked == 8, "interrupted", static_cast<long>(batch));
        check(longest < 0.05, "milliseconds between two questions", static_cast<long>(longest * 1e3));
    }
}

template <class T>
void test_side_by_side(const Machine<T>& machine) {
    const Data data(150);
    const auto expected = train(machine, data, 0, Rule::adam, 2, 64, 5, 0);
    std::atomic<int> same{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&, i] { same += train(machine, data, i % 4, Rule::adam, 1 + i % 2, 64, 5, 0).theta == expected.theta; });
    }
    for (auto& thread : threads) thread.join();
    check(same == 4, "side by side");
}

// Every number of a program, so that some can be replaced.
std::vector<std::int64_t*> numbers_of(ProgramData& d) {
    std::vector<std::int64_t*> found = {&d.weight_at, &d.output_at, &d.output_width};
    for (auto* steps : {&d.prologue, &d.forward, &d.backward}) {
        for (Step& step : *steps) {
            for (std::int64_t* p : {&step.y, &step.dy, &step.width, &step.group, &step.scratch}) found.push_back(p);
            for (Operand& o : step.operand) {
                for (std::int64_t* p : {&o.at, &o.width, &o.gradient, &o.nonzero}) found.push_back(p);
            }
        }
    }
    for (Destination& to : d.inputs) {
        for (std::int64_t* p : {&to.at, &to.width, &to.nonzero}) found.push_back(p);
    }
    return found;
}

void test_random_programs(int count) {
    std::mt19937 bits(1);
    const Data data(70);
    int ran = 0;
    for (int i = 0; i < count; ++i) {
        ProgramData d = network(false);
        auto numbers = numbers_of(d);
        for (unsigned change = 0; change < 1 + bits() % 2; ++change) {
            *numbers[bits() % numbers.size()] = static_cast<std::int64_t>(bits() % 120) - 2;
        }
        if (bits() % 4 == 0) {
            auto& steps = bits() % 2 ? d.forward : d.backward;
            Step& step = steps[bits() % steps.size()];
            step.op = static_cast<Op>(bits() % static_cast<unsigned>(Op::count));
            step.code = static_cast<int>(bits() % 8);
        }
        try {
            const std::int64_t width = d.inputs[0].width;
            if (d.weight_at < 0 || d.output_width != 1 || d.inputs[1].width != 1 || d.inputs[2].width != 1) continue;
            const Machine<double> machine(d);
            Rows rows = data.as(0);
            const std::vector<double> x(static_cast<std::size_t>(70 * width), 0.5);
            rows.inputs[0] = Data::source(x.data(), Type::float64, 70, width);
            std::vector<double> gradient(static_cast<std::size_t>(d.theta_size));
            machine.sums(start<double>().data(), rows, gradient.data(), 1, {});
            ++ran;
        } catch (const std::invalid_argument&) {
        }
    }
    check(ran > count / 100, "some programs ran", ran);
}

template <class T>
void test_all(bool brief) {
    const Machine<T> machine(network(sizeof(T) == 4));
    for (const std::int64_t n : {1, 15, 64, 65, 1500}) {
        if (!brief || n > 64) test_sums(machine, n);
    }
    test_training(machine, brief ? 6 : 40);
    test_trouble(machine);
    test_interruption(machine);
    test_side_by_side(machine);
}

}  // namespace

int main(int count, char** arguments) {
    const bool brief = count > 1 && std::strcmp(arguments[1], "--short") == 0;
    test_all<float>(brief);
    test_all<double>(brief);
    if (!brief) test_random_programs(20000);
    std::printf(failures ? "%d checks failed\n" : "the runtime holds\n", failures);
    return failures != 0;
}
