// The compiled engine as a Python module: checks what comes in, and hands it to runtime.hpp.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>

#include "runtime.hpp"

namespace nb = nanobind;

namespace {

using namespace chainrule;

using Array = nb::ndarray<nb::numpy, nb::ro, nb::device::cpu>;
template <class T>
using Vector = nb::ndarray<nb::numpy, T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

[[noreturn]] void refuse(const std::string& what) { throw nb::value_error(what.c_str()); }

// ---- from Python's plain data to a program --------------------------------------------------------------

#define CHAINRULE_NAME(name) #name,
const std::vector<std::string> op_names = {CHAINRULE_OPS(CHAINRULE_NAME)};
const std::vector<std::string> unary_names = {CHAINRULE_UNARY(CHAINRULE_NAME)};
const std::vector<std::string> binary_names = {CHAINRULE_BINARY(CHAINRULE_NAME)};
const std::vector<std::string> loss_names = {CHAINRULE_LOSSES(CHAINRULE_NAME)};
const std::vector<std::string> rule_names = {CHAINRULE_RULES(CHAINRULE_NAME)};
#undef CHAINRULE_NAME
const std::vector<std::string> space_names = {"none", "rows", "labels", "parameters"};
const std::vector<std::string> mode_names = {"none", "write", "add"};

int index_in(const std::vector<std::string>& names, const std::string& name) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) refuse("the engine does not know " + name);
    return static_cast<int>(found - names.begin());
}

Operand to_operand(const nb::dict& from) {
    Operand o;
    o.space = static_cast<Space>(index_in(space_names, nb::cast<std::string>(from["space"])));
    o.mode = static_cast<Mode>(index_in(mode_names, nb::cast<std::string>(from["mode"])));
    o.at = nb::cast<std::int64_t>(from["at"]);
    o.width = nb::cast<std::int64_t>(from["width"]);
    o.gradient = nb::cast<std::int64_t>(from["gradient"]);
    o.nonzero = nb::cast<std::int64_t>(from["nonzero"]);
    o.map_index = nb::cast<std::int32_t>(from["map"]);
    return o;
}

Step to_step(const nb::dict& from) {
    Step step;
    step.op = static_cast<Op>(index_in(op_names, nb::cast<std::string>(from["op"])));
    const auto code = nb::cast<std::string>(from["code"]);
    if (step.op == Op::unary || step.op == Op::dense || step.op == Op::gate) step.code = index_in(unary_names, code);
    if (step.op == Op::binary) step.code = index_in(binary_names, code);
    if (step.op == Op::loss) step.code = index_in(loss_names, code);
    step.fused = nb::cast<bool>(from["fused"]);
    step.y = nb::cast<std::int64_t>(from["y"]);
    step.dy = nb::cast<std::int64_t>(from["dy"]);
    step.width = nb::cast<std::int64_t>(from["width"]);
    step.group = nb::cast<std::int64_t>(from["group"]);
    step.scratch = nb::cast<std::int64_t>(from["scratch"]);
    step.alpha = nb::cast<double>(from["alpha"]);
    const nb::list operands(from["operands"]);
    if (nb::len(operands) > 3) refuse("a step has at most 3 operands");
    for (std::size_t i = 0; i < nb::len(operands); ++i) step.operand[i] = to_operand(nb::cast<nb::dict>(operands[i]));
    return step;
}

std::vector<Step> to_steps(nb::handle from) {
    std::vector<Step> steps;
    for (nb::handle one : nb::list(from)) steps.push_back(to_step(nb::cast<nb::dict>(one)));
    return steps;
}

Destination to_destination(const nb::dict& from) {
    Destination to;
    to.space = static_cast<Space>(index_in(space_names, nb::cast<std::string>(from["space"])));
    to.at = nb::cast<std::int64_t>(from["at"]);
    to.width = nb::cast<std::int64_t>(from["width"]);
    to.nonzero = nb::cast<std::int64_t>(from["nonzero"]);
    to.scale = nb::cast<double>(from["scale"]);
    to.low = nb::cast<double>(from["low"]);
    to.high = nb::cast<double>(from["high"]);
    return to;
}

ProgramData to_program(const nb::dict& from) {
    ProgramData data;
    data.single = nb::cast<std::string>(from["precision"]) == "float32";
    data.theta_size = nb::cast<std::int64_t>(from["theta_size"]);
    data.derived_size = nb::cast<std::int64_t>(from["derived_size"]);
    data.constants = nb::cast<std::vector<double>>(from["constants"]);
    data.row_units = nb::cast<std::int64_t>(from["row_units"]);
    data.label_units = nb::cast<std::int64_t>(from["label_units"]);
    data.nonzero_units = nb::cast<std::int64_t>(from["nonzero_units"]);
    data.block_rows = nb::cast<std::int64_t>(from["block_rows"]);
    for (nb::handle one : nb::list(from["maps"])) {
        const auto map = nb::cast<Vector<const std::int32_t>>(one);
        data.maps.emplace_back(map.data(), map.data() + map.size());
    }
    data.prologue = to_steps(from["prologue"]);
    data.forward = to_steps(from["forward"]);
    data.backward = to_steps(from["backward"]);
    for (nb::handle one : nb::list(from["inputs"])) data.inputs.push_back(to_destination(nb::cast<nb::dict>(one)));
    data.weight_at = nb::cast<std::int64_t>(from["weight_at"]);
    data.output_at = nb::cast<std::int64_t>(from["output_at"]);
    data.output_width = nb::cast<std::int64_t>(from["output_width"]);
    data.flops_per_row = nb::cast<double>(from["flops_per_row"]);
    return data;
}

// ---- arrays ---------------------------------------------------------------------------------------------

Type type_of(const Array& array) {
    const nb::dlpack::dtype type = array.dtype();
    if (type == nb::dtype<std::uint8_t>()) return Type::uint8;
    if (type == nb::dtype<std::int32_t>()) return Type::int32;
    if (type == nb::dtype<std::int64_t>()) return Type::int64;
    if (type == nb::dtype<float>()) return Type::float32;
    if (type == nb::dtype<double>()) return Type::float64;
    refuse("rows must be uint8, int32, int64, float32 or float64");
}

bool is_integer(Type type) { return type == Type::uint8 || type == Type::int32 || type == Type::int64; }

// Arrays kept alive for the length of a call.
struct Held {
    std::vector<Array> arrays;

    const Array& keep(nb::handle object) {
        arrays.push_back(nb::cast<Array>(object));
        return arrays.back();
    }
};

Source dense_source(nb::handle object, const Destination& to, Held& held) {
    const Array& array = held.keep(object);
    Source source;
    source.data = static_cast<const unsigned char*>(array.data());
    source.type = type_of(array);
    if (array.ndim() != 1 && array.ndim() != 2) refuse("rows must be an array of 1 or 2 dimensions");
    const auto size = static_cast<std::int64_t>(array.itemsize());
    source.rows = static_cast<std::int64_t>(array.shape(0));
    source.width = array.ndim() == 2 ? static_cast<std::int64_t>(array.shape(1)) : 1;
    source.row_stride = array.stride(0) * size;
    source.column_stride = array.ndim() == 2 && source.width != 1 ? array.stride(1) * size : size;
    if (source.width != to.width) refuse("rows have the wrong width");
    if (to.space == Space::labels && !is_integer(source.type)) refuse("labels and indices must be integers");
    return source;
}

// (data, indices, indptr, width): compressed sparse rows. Their contents are checked row by row while gathering.
Source sparse_source(const nb::tuple& parts, const Destination& to, Held& held) {
    if (nb::len(parts) != 4 || to.space == Space::labels) refuse("sparse rows must be (data, indices, indptr, width)");
    Source source;
    const Array data = held.keep(parts[0]), indices = held.keep(parts[1]), indptr = held.keep(parts[2]);
    for (const Array& array : {data, indices, indptr}) {
        if (array.ndim() != 1 || (array.shape(0) > 1 && array.stride(0) != 1)) refuse("sparse arrays must be contiguous");
    }
    source.type = type_of(data);
    source.index_type = type_of(indices);
    const bool matching = source.index_type == type_of(indptr);
    if (!matching || (source.index_type != Type::int32 && source.index_type != Type::int64)) {
        refuse("sparse indices must be int32 or int64, both alike");
    }
    if (indptr.shape(0) < 1) refuse("indptr must hold one number more than there are rows");
    source.rows = static_cast<std::int64_t>(indptr.shape(0)) - 1;
    source.width = nb::cast<std::int64_t>(parts[3]);
    source.stored = static_cast<std::int64_t>(std::min(data.shape(0), indices.shape(0)));
    // an empty array may have no address, but a pointer tells that the rows are sparse
    static const std::int64_t nothing[2] = {};
    const auto address = [](const Array& array) {
        return static_cast<const unsigned char*>(array.shape(0) == 0 ? static_cast<const void*>(nothing) : array.data());
    };
    source.data = address(data);
    source.indices = address(indices);
    source.indptr = address(indptr);
    if (source.width != to.width) refuse("rows have the wrong width");
    return source;
}

Rows to_rows(const nb::list& inputs, nb::handle weight, bool check_finite, const ProgramData& data, Held& held) {
    if (nb::len(inputs) != data.inputs.size()) refuse("the program has another number of inputs");
    held.arrays.reserve(3 * nb::len(inputs) + 2);
    Rows rows;
    rows.check_finite = check_finite;
    rows.count = -1;
    for (std::size_t i = 0; i < nb::len(inputs); ++i) {
        const nb::handle one = inputs[i];
        const bool sparse = nb::isinstance<nb::tuple>(one);
        const Destination& to = data.inputs[i];
        rows.inputs.push_back(sparse ? sparse_source(nb::borrow<nb::tuple>(one), to, held) : dense_source(one, to, held));
        if (rows.count >= 0 && rows.inputs.back().rows != rows.count) refuse("inputs differ in their number of rows");
        rows.count = rows.inputs.back().rows;
    }
    if (!weight.is_none()) {
        Destination to;
        to.width = 1;
        rows.weight = dense_source(weight, to, held);
        if (rows.weight.type != Type::float64) refuse("weights must be float64");
        if (rows.count >= 0 && rows.weight.rows != rows.count) refuse("weights differ from the inputs in their number of rows");
        rows.count = rows.weight.rows;
    }
    if (rows.count < 0) refuse("no rows: the program reads no data");
    return rows;
}

// ---- signals --------------------------------------------------------------------------------------------

// Lets Python handle Ctrl-C while compiled code runs without the GIL; keeps what its handler raised.
struct SignalPoll {
    std::optional<nb::python_error> raised;

    std::function<bool()> function() {
        return [this] {
            const nb::gil_scoped_acquire gil;
            if (!raised && PyErr_CheckSignals() != 0) raised.emplace();
            return raised.has_value();
        };
    }

    void finish() const {
        if (raised) throw nb::python_error(*raised);
    }
};

nb::tuple outcome_tuple(const Outcome& outcome) {
    static constexpr const char* names[] = {"", "interrupted", "loss", "gradient", "trouble"};
    return nb::make_tuple(outcome.done, names[static_cast<int>(outcome.stopped)], outcome.bad_parameter,
                          outcome.trouble.what, outcome.trouble.row, outcome.trouble.value, outcome.trouble_source);
}

template <class T>
const T* parameters(const Vector<const T>& theta, const ProgramData& data) {
    if (static_cast<std::int64_t>(theta.size()) != data.theta_size) refuse("theta has the wrong length");
    return theta.data();
}

template <class T>
nb::tuple forward(const Machine<T>& machine, Vector<const T> theta, nb::list inputs, Vector<T> out, int threads,
                  bool check_finite) {
    Held held;
    const ProgramData& data = machine.data();
    const Rows rows = to_rows(inputs, nb::none(), check_finite, data, held);
    if (static_cast<std::int64_t>(out.size()) != rows.count * data.output_width) refuse("out has the wrong length");
    const T* values = parameters(theta, data);
    SignalPoll poll;
    Outcome outcome;
    {
        const nb::gil_scoped_release release;
        outcome = machine.forward(values, rows, out.data(), threads, poll.function());
    }
    poll.finish();
    return outcome_tuple(outcome);
}

template <class T>
nb::tuple sums(const Machine<T>& machine, Vector<const T> theta, nb::list inputs, nb::object weight,
               Vector<double> gradient, int threads, bool check_finite) {
    Held held;
    const ProgramData& data = machine.data();
    if (data.weight_at < 0) refuse("this program has no loss");
    const Rows rows = to_rows(inputs, weight, check_finite, data, held);
    if (static_cast<std::int64_t>(gradient.size()) != data.theta_size) refuse("gradient has the wrong length");
    const T* values = parameters(theta, data);
    SignalPoll poll;
    Sums result;
    {
        const nb::gil_scoped_release release;
        result = machine.sums(values, rows, gradient.data(), threads, poll.function());
    }
    poll.finish();
    return nb::make_tuple(result.loss, result.weight, outcome_tuple(result.outcome));
}

template <class T>
T* slot(const std::vector<Vector<T>>& slots, std::size_t i, std::size_t needed, const ProgramData& data) {
    if (i >= needed) return nullptr;
    if (i >= slots.size() || static_cast<std::int64_t>(slots[i].size()) != data.theta_size) {
        refuse("the state does not fit the update rule");
    }
    return slots[i].data();
}

double number(const nb::dict& from, const char* key) { return nb::cast<double>(from[key]); }
std::int64_t integer(const nb::dict& from, const char* key) { return nb::cast<std::int64_t>(from[key]); }

std::vector<Span> to_spans(nb::handle from, const ProgramData& data) {
    std::vector<Span> spans;
    std::int64_t end = 0;
    for (nb::handle one : nb::list(from)) {
        const auto v = nb::cast<std::vector<double>>(one);
        if (v.size() != 6) refuse("a span of parameters is (begin, end, l1, l2, rate, decay)");
        const Span span{static_cast<std::int64_t>(v[0]), static_cast<std::int64_t>(v[1]), v[2], v[3], v[4], v[5]};
        if (span.begin != end || span.end < span.begin) refuse("spans of parameters must follow one another");
        end = span.end;
        spans.push_back(span);
    }
    if (end != data.theta_size) refuse("spans of parameters must cover theta");
    return spans;
}

// A factor for each batch, or nothing where it is 1 throughout.
std::vector<double> levels(const nb::dict& options, const char* name, std::size_t length) {
    const nb::object given = options[name];
    if (given.is_none()) return {};
    auto factors = nb::cast<std::vector<double>>(given);
    if (factors.size() != length) refuse("one factor of decay and of dropout a batch");
    for (const double one : factors) {
        if (!(one >= 0.0 && one <= 1.0)) refuse("factors of decay and of dropout lie between 0 and 1");
    }
    return factors;
}

void set_order(const nb::dict& options, Training& t, Held& held) {
    const nb::object order = options["order"];
    t.order.length = t.rows.count;
    if (order.is_none()) return;
    if (nb::isinstance<nb::tuple>(order)) {
        t.order.kind = OrderKind::shuffled;
        t.order.seed = nb::cast<std::uint64_t>(order[0]);
        t.order.window = nb::cast<std::int64_t>(order[1]);
        if (t.order.window < 0) refuse("a window must have at least one row");
        return;
    }
    const Array& given = held.keep(order);
    const std::size_t dimensions = given.ndim();
    bool plain = (dimensions == 1 || dimensions == 2) && type_of(given) == Type::int64;
    std::int64_t expected = 1;
    for (std::size_t i = dimensions; plain && i-- > 0;) {
        const auto size = static_cast<std::int64_t>(given.shape(i));
        plain = size <= 1 || given.stride(i) == expected;
        expected *= size;
    }
    if (!plain) refuse("an order must be a contiguous vector of int64, or one a row for each epoch");
    t.order.kind = OrderKind::given;
    t.order.given = static_cast<const std::int64_t*>(given.data());
    t.order.length = static_cast<std::int64_t>(given.shape(dimensions - 1));
    if (dimensions == 2) t.order.epoch_stride = t.order.length;
    t.ordered_epochs = dimensions == 2 ? static_cast<std::int64_t>(given.shape(0)) : 1;
}

// Orders of several epochs: the first is of the epoch of the first batch, the last batch's must be there.
void place_orders(Training& t) {
    if (t.order.epoch_stride == 0 || t.n_batches == 0) return;
    const std::int64_t per_epoch = batches_per_epoch(t.order.length, t.batch_size, t.drop_last);
    t.order.first_epoch = t.first_batch / per_epoch;
    const std::int64_t needed = (t.first_batch % per_epoch + t.n_batches - 1) / per_epoch + 1;
    if (t.ordered_epochs < needed) refuse("there must be an order for each epoch");
}

// Room for theta after each epoch that ends within the stretch, or null.
template <class T>
void* place_after_epochs(const nb::dict& options, const Training& t, const ProgramData& data) {
    const nb::object given = options["after_epochs"];
    if (given.is_none()) return nullptr;
    const auto room = nb::cast<Vector<T>>(given);
    const std::int64_t per_epoch = batches_per_epoch(t.order.length, t.batch_size, t.drop_last);
    const std::int64_t ends = t.n_batches == 0 ? 0 : (t.first_batch % per_epoch + t.n_batches) / per_epoch;
    if (static_cast<std::int64_t>(room.size()) / data.theta_size < ends) refuse("a row for theta after each epoch");
    return room.data();
}

template <class T>
nb::tuple run_batches(const Machine<T>& machine, Vector<T> theta, std::vector<Vector<T>> slots, nb::list inputs,
                      nb::object weight, Vector<const double> rates, Vector<double> losses, Vector<double> weights,
                      Vector<double> penalties, Vector<double> norms, nb::dict options) {
    Held held;
    const ProgramData& data = machine.data();
    if (data.weight_at < 0) refuse("this program has no loss");
    Training t;
    t.rows = to_rows(inputs, weight, nb::cast<bool>(options["check_finite"]), data, held);
    set_order(options, t, held);
    t.rule = static_cast<Rule>(index_in(rule_names, nb::cast<std::string>(options["rule"])));
    t.momentum = number(options, "momentum");
    t.rho = number(options, "rho");
    t.beta_1 = number(options, "beta_1");
    t.beta_2 = number(options, "beta_2");
    t.epsilon = number(options, "epsilon");
    t.weight_decay = number(options, "weight_decay");
    t.clip_norm = number(options, "clip_norm");
    t.spans = to_spans(options["spans"], data);
    t.batch_size = integer(options, "batch_size");
    t.first_batch = integer(options, "first_batch");
    t.n_batches = integer(options, "n_batches");
    t.first_step = integer(options, "first_batch");
    t.first_step_of_rule = integer(options, "step");
    t.drop_last = nb::cast<bool>(options["drop_last"]);
    t.penalty_by_weight = nb::cast<bool>(options["penalty_by_weight"]);
    t.threads = nb::cast<int>(options["threads"]);
    if (nb::object seed = options["dropout_seed"]; !seed.is_none()) {
        t.drop = true;
        t.dropout_seed = nb::cast<std::uint64_t>(seed);
    }
    if (nb::object stop = options["stop"]; !stop.is_none()) {
        const Array& flag = held.keep(stop);
        if (flag.size() < 1 || type_of(flag) != Type::uint8) refuse("stop must be an array of one uint8");
        t.stop = static_cast<const volatile std::uint8_t*>(flag.data());
    }
    if (t.batch_size < 1 || t.first_batch < 0 || t.n_batches < 0) refuse("a batch must have at least one row");
    if (t.n_batches > 0 && batches_per_epoch(t.order.length, t.batch_size, t.drop_last) < 1) refuse("no batch: too few rows");
    if (t.first_batch > std::numeric_limits<std::int64_t>::max() - t.n_batches) refuse("the batches' numbers are too large");
    place_orders(t);
    const auto length = static_cast<std::size_t>(t.n_batches);
    for (const auto* out : {&losses, &weights, &penalties, &norms}) {
        if (out->size() != length) refuse("the report has the wrong length");
    }
    if (rates.size() != length && rates.size() != 1) refuse("one learning rate, or one a batch");
    t.rates = rates.data();
    t.one_rate = rates.size() == 1;
    t.after_epochs = place_after_epochs<T>(options, t, data);
    t.decay = levels(options, "decay", length);
    t.dropout = levels(options, "dropout", length);
    t.losses = losses.data();
    t.weights = weights.data();
    t.penalties = penalties.data();
    t.norms = norms.data();
    const std::size_t needed = t.rule == Rule::sgd ? 0 : t.rule == Rule::adam ? 2 : 1;
    T *first = slot(slots, 0, needed, data), *second = slot(slots, 1, needed, data);
    if (static_cast<std::int64_t>(theta.size()) != data.theta_size) refuse("theta has the wrong length");
    std::vector<std::int64_t> order_copy;
    SignalPoll poll;
    t.poll = poll.function();
    Outcome outcome;
    {
        const nb::gil_scoped_release release;
        if (t.order.kind == OrderKind::given) {
            // a copy: nobody else can change it between this check and its use
            order_copy.assign(t.order.given, t.order.given + t.ordered_epochs * t.order.length);
            t.order.given = order_copy.data();
            for (const std::int64_t row : order_copy) {
                if (row < 0 || row >= t.rows.count) throw std::out_of_range("an order names a row that is not there");
            }
        }
        outcome = machine.run_batches(theta.data(), first, second, t);
    }
    const nb::object raised = poll.raised ? nb::borrow(poll.raised->value()) : nb::none();
    return nb::make_tuple(outcome_tuple(outcome), raised);
}

template <class T>
void bind_machine(nb::module_& m, const char* name) {
    using M = Machine<T>;
    nb::class_<M>(m, name)
        .def("__init__", [](M* self, const nb::dict& program) {
            ProgramData data = to_program(program);
            if (data.single != (sizeof(T) == 4)) refuse("the program has another precision");
            new (self) M(std::move(data));
        })
        .def("forward", &forward<T>, nb::arg("theta").noconvert(), nb::arg("inputs"), nb::arg("out").noconvert(),
             nb::arg("threads"), nb::arg("check_finite"))
        .def("sums", &sums<T>, nb::arg("theta").noconvert(), nb::arg("inputs"), nb::arg("weight").none(),
             nb::arg("gradient").noconvert(), nb::arg("threads"), nb::arg("check_finite"))
        .def("run_batches", &run_batches<T>, nb::arg("theta").noconvert(), nb::arg("slots"), nb::arg("inputs"),
             nb::arg("weight").none(), nb::arg("rates"), nb::arg("losses").noconvert(), nb::arg("weights").noconvert(),
             nb::arg("penalties").noconvert(), nb::arg("norms").noconvert(), nb::arg("options"));
}

Vector<std::int64_t> order_of_epoch(std::int64_t n, std::uint64_t seed, std::int64_t epoch, std::int64_t window) {
    if (n < 0 || window < 0 || epoch < 0) refuse("rows, window and epoch must be at least 0");
    auto* rows = new std::int64_t[static_cast<std::size_t>(n)];
    const nb::capsule owner(rows, [](void* p) noexcept { delete[] static_cast<std::int64_t*>(p); });
    EpochOrder({OrderKind::shuffled, nullptr, n, seed, window}).fill_now(epoch, 0, n, rows);
    return Vector<std::int64_t>(rows, {static_cast<std::size_t>(n)}, owner);
}

}  // namespace

NB_MODULE(_native, m) {
    m.doc() = "Runs the engine's programs; see chainrule.engine.";
    m.attr("interface") = 2;  // as INTERFACE in engine/loading.py: raised with what Python may ask of the module
    m.attr("isa") = chosen_instruction_set().name;
    nb::list names;
    for (const InstructionSet* set : instruction_sets()) names.append(set->name);
    m.attr("isas") = names;
    bind_machine<float>(m, "MachineFloat32");
    bind_machine<double>(m, "MachineFloat64");
    m.def("order_of_epoch", &order_of_epoch, nb::arg("n"), nb::arg("seed"), nb::arg("epoch"), nb::arg("window") = 0);
}
