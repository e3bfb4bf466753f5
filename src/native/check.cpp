// Every offset and width of a program, checked once, so that running it needs no checks.
#include <stdexcept>
#include <string>

#include "runtime.hpp"

namespace chainrule {

namespace {

constexpr std::int64_t largest = std::int64_t{1} << 40;

class Checker {
public:
    explicit Checker(const ProgramData& data) : data_(data) {
        total_ = data.theta_size + data.derived_size + static_cast<std::int64_t>(data.constants.size());
        for (const std::int64_t size : {data.theta_size, data.derived_size, data.row_units, data.label_units,
                                        data.nonzero_units}) {
            require(size >= 0 && size < largest, "a size out of range");
        }
        require(data.block_rows >= 1 && data.block_rows <= 65536 && data.block_rows % 16 == 0, "block rows");
    }

    void require(bool holds, const char* what) const {
        if (!holds) throw std::invalid_argument("program refused: " + where_ + what);
    }

    void range(std::int64_t at, std::int64_t width, std::int64_t size, const char* what) const {
        require(at >= 0 && width >= 0 && at <= size && width <= size - at, what);
    }

    void block(std::int64_t at, std::int64_t width, const char* what) const { range(at, width, data_.row_units, what); }

    void nonzero(std::int64_t at, std::int64_t width) const {
        require(width >= least_nonzero, "a narrow input whose zeros are noted");
        range(at, (width + 15) / 16 * 16, data_.nonzero_units, "record of what is not zero");
    }

    // An operand's record is that of the input which the operand is.
    void nonzero(const Operand& o) const {
        bool found = false;
        for (const Destination& to : data_.inputs) {
            found |= to.space == Space::rows && to.nonzero == o.nonzero && to.at == o.at && to.width == o.width;
        }
        require(found && o.space == Space::rows, "record of another operand's zeros");
    }

    void place(Space space, std::int64_t at, std::int64_t width) const {
        switch (space) {
            case Space::rows: return range(at, width, data_.row_units, "place in rows");
            case Space::labels: return range(at, width, data_.label_units, "place in labels");
            case Space::parameters: return range(at, width, total_, "place in parameters");
            default: require(false, "operand without a place");
        }
    }

    void map(const Operand& operand, std::int64_t length, std::int64_t limit) const {
        if (operand.map_index < 0) {
            require(length <= limit, "operand narrower than its use");
            return;
        }
        require(operand.map_index < static_cast<std::int64_t>(data_.maps.size()), "map");
        const auto& entries = data_.maps[static_cast<std::size_t>(operand.map_index)];
        require(static_cast<std::int64_t>(entries.size()) == length, "length of a map");
        for (const std::int32_t entry : entries) require(entry >= 0 && entry < limit, "entry of a map");
    }

    void operand(const Operand& o, bool back) const {
        place(o.space, o.at, o.width);
        if (o.nonzero >= 0) nonzero(o);
        if (!back || o.mode == Mode::none) return;
        if (o.space == Space::rows) block(o.gradient, o.width, "gradient of an operand");
        if (o.space == Space::parameters) {
            range(o.at, o.width, data_.theta_size + data_.derived_size, "gradient of a parameter");
        }
        require(o.space != Space::labels, "gradient of labels");
    }

    static bool has_code(const Step& step) {
        const auto below = [&](auto count) { return step.code >= 0 && step.code < static_cast<int>(count); };
        switch (step.op) {
            case Op::dense: return below(4);
            case Op::unary: return below(Unary::count);
            case Op::binary: return below(Binary::count);
            case Op::loss: return below(Loss::count);
            case Op::gate: return is_gate(step.code);
            default: return true;
        }
    }

    static bool is_gate(int code) {
        using enum Unary;
        switch (static_cast<Unary>(code)) {
            case sigmoid: case tanh: case relu: case selu: case gelu: case gelu_tanh: case silu: case softplus: case mish:
                return true;
            default: return false;
        }
    }

    void operands(const Step& step, int count, std::initializer_list<Space> spaces, bool back) const {
        int i = 0;
        for (const Space space : spaces) {
            if (i >= count) break;
            require(step.operand[i].space == space, "kind of an operand");
            ++i;
        }
        for (i = 0; i < count; ++i) operand(step.operand[i], back);
    }

    void static_step(const Step& step) const {
        using enum Space;
        const Operand &a = step.operand[0], &b = step.operand[1];
        range(step.y, step.width, data_.theta_size + data_.derived_size, "derived values");
        require(step.y >= data_.theta_size, "derived values over theta");
        switch (step.op) {
            case Op::unary:
                operands(step, 1, {parameters}, true);
                return map(a, step.width, a.width);
            case Op::binary:
                operands(step, 2, {parameters, parameters}, true);
                map(a, step.width, a.width);
                return map(b, step.width, b.width);
            case Op::copy:
            case Op::reduce:
                operands(step, 1, {parameters}, true);
                return map(a, a.width, step.width);
            case Op::matmul: {
                operands(step, 2, {parameters, parameters}, true);
                require(step.group > 0 && step.width % step.group == 0 && b.width % step.group == 0, "product");
                return require(a.width == step.width / step.group * (b.width / step.group), "product");
            }
            default: require(false, "step on parameters alone");
        }
    }

    void step(const Step& step, bool back) const {
        using enum Space;
        const Operand &a = step.operand[0], &b = step.operand[1], &c = step.operand[2];
        require(step.group >= 1 || step.op == Op::mask, "group");
        if (step.op == Op::zero) {
            require(back, "zero going forward");
            return a.space == parameters
                       ? range(a.at, step.width, data_.theta_size + data_.derived_size, "zero")
                       : block(a.at, step.width, "zero");
        }
        block(step.y, step.width, "result");
        if (back || step.fused) block(step.dy, step.width, "gradient of the result");
        const bool optional = step.op == Op::dense || step.op == Op::binary || step.op == Op::layer_norm || step.op == Op::gate;
        require(!back || optional || a.mode != Mode::none, "a step backward that nothing asks for");
        switch (step.op) {
            case Op::dense:
                operands(step, c.space == none ? 2 : 3, {Space::rows, parameters, parameters}, back);
                require(b.width == a.width * step.width, "weights of a dense layer");
                return require(c.space == none || c.width == step.width, "bias of a dense layer");
            case Op::unary:
                operands(step, 1, {Space::rows}, back);
                return require(a.width == step.width, "width");
            case Op::binary:
                for (const Operand* o : {&a, &b}) {
                    operand(*o, back);
                    require(o->space != labels, "labels in arithmetic");
                    map(*o, step.width, o->width);
                }
                return;
            case Op::softmax:
            case Op::log_softmax:
                operands(step, 1, {Space::rows}, back);
                return require(a.width == step.width && step.width % step.group == 0, "groups");
            case Op::layer_norm:
                operands(step, 3, {Space::rows, parameters, parameters}, back);
                require(a.width == step.width && step.width % step.group == 0, "groups");
                require(b.width == step.group && c.width == step.group, "gain and bias");
                return block(step.scratch, 2 * (step.width / step.group), "scratch");
            case Op::copy:
            case Op::reduce:
                operands(step, 1, {Space::rows}, back);
                return map(a, a.width, step.width);
            case Op::take:
                operands(step, 1, {parameters}, back);
                place(b.space, b.at, b.width);
                require(b.space == labels && step.width == b.width * step.group, "indices");
                return indices(b, a.width / step.group);
            case Op::loss:
                operands(step, 1, {Space::rows}, back || step.fused);
                place(b.space, b.at, b.width);
                return require(b.space == Space::rows && a.width == b.width && step.width == 1, "scores and target");
            case Op::softmax_cross_entropy:
                operands(step, 1, {Space::rows}, back || step.fused);
                place(b.space, b.at, b.width);
                require(b.space == labels ? b.width == 1 : b.space == Space::rows && b.width == a.width, "target");
                return require(a.width >= 1 && step.width == 1, "scores");
            case Op::gate:
                operands(step, 1, {Space::rows}, back);
                if (b.space != none) operand(b, back);
                if (c.space != none) operand(c, false);
                require(a.width == step.width && c.mode == Mode::none, "an activation");
                require(b.space == none || (b.space == parameters && b.width == step.width), "share of an activation");
                return require(c.space == none || (c.space == Space::rows && c.width == step.width), "mask of an activation");
            case Op::mask: return require(step.alpha >= 0 && step.alpha < 1, "rate");
            default: require(false, "operation");
        }
    }

    // Every index that can be read at these units is below `limit`.
    void indices(const Operand& o, std::int64_t limit) const {
        require(limit >= 1, "an empty table");
        for (const Destination& input : data_.inputs) {
            if (input.space != Space::labels) continue;
            const bool apart = input.at + input.width <= o.at || o.at + o.width <= input.at;
            require(apart || (input.low >= 0 && input.high < static_cast<double>(limit)), "range of indices");
        }
    }

    void input(const Destination& to) const {
        require(to.space == Space::rows || to.space == Space::labels, "place of an input");
        place(to.space, to.at, to.width);
        if (to.space == Space::labels) {
            require(to.low >= -2147483648.0 && to.high <= 2147483647.0, "range of labels");
        } else if (to.nonzero >= 0) {
            nonzero(to.nonzero, to.width);
        }
    }

    void all() {
        for (const Destination& to : data_.inputs) input(to);
        block(data_.output_at, data_.output_width, "output");
        if (data_.weight_at >= 0) block(data_.weight_at, 1, "row weights");
        list("prologue", data_.prologue, [this](const Step& s) { static_step(s); });
        list("forward", data_.forward, [this](const Step& s) { step(s, false); });
        list("backward", data_.backward, [this](const Step& s) { step(s, true); });
    }

private:
    template <class Check>
    void list(const char* name, const std::vector<Step>& steps, Check check) {
        for (std::size_t i = 0; i < steps.size(); ++i) {
            where_ = std::string(name) + " step " + std::to_string(i) + ": ";
            require(static_cast<int>(steps[i].op) >= 0 && steps[i].op < Op::count, "operation");
            require(steps[i].width >= 0 && has_code(steps[i]), "function");
            for (const Operand& o : steps[i].operand) {
                require(o.map_index < static_cast<std::int64_t>(data_.maps.size()), "map");
            }
            check(steps[i]);
        }
        where_.clear();
    }

    const ProgramData& data_;
    std::int64_t total_ = 0;
    std::string where_;
};

}  // namespace

void check_program(const ProgramData& data) { Checker(data).all(); }

}  // namespace chainrule
