// The order in which an epoch visits the rows; chainrule/training/shuffling.py is the same in NumPy.
#include <algorithm>
#include <cmath>

#include "runtime.hpp"

namespace chainrule {

namespace {

// One step of Steele, Lea and Flood's SplitMix64 (2014).
std::uint64_t split_mix(std::uint64_t x) {
    x += 0x9E3779B97F4A7C15u;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    return x ^ (x >> 31);
}

Bijection make_bijection(std::int64_t n, std::uint64_t seed, std::int64_t epoch, std::uint64_t stream) {
    Bijection p{};
    p.n = static_cast<std::uint64_t>(n);
    p.a = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::sqrt(static_cast<double>(n))));
    while (p.a * p.a < p.n) ++p.a;
    while (p.a > 1 && (p.a - 1) * (p.a - 1) >= p.n) --p.a;
    p.b = std::max<std::uint64_t>(1, (p.n + p.a - 1) / p.a);
    std::uint64_t state = 0;
    for (const std::uint64_t word : {seed, static_cast<std::uint64_t>(epoch), stream}) state = split_mix(state ^ word);
    for (std::uint64_t r = 0; r < 16; ++r) p.key[r] = split_mix(state + r);
    return p;
}

constexpr std::uint64_t rows_stream = 0, windows_stream = 1, first_window_stream = 2;

}  // namespace

std::int64_t batches_per_epoch(std::int64_t rows, std::int64_t batch_size, bool drop_last) {
    return drop_last ? rows / batch_size : (rows + batch_size - 1) / batch_size;
}

void EpochOrder::start_epoch(std::int64_t epoch) {
    epoch_ = epoch;
    inside_window_ = -1;
    if (order_.window == 0) {
        whole_ = make_bijection(order_.length, order_.seed, epoch, rows_stream);
        return;
    }
    const std::int64_t windows = (order_.length + order_.window - 1) / order_.window;
    whole_ = make_bijection(windows, order_.seed, epoch, windows_stream);
    short_slot_ = windows;  // where the last, shorter window comes: all later positions are shifted
    if (order_.length % order_.window == 0) return;
    for (std::int64_t slot = 0, window; slot < windows; ++slot) {
        chosen_instruction_set().positions(whole_, slot, 1, 0, &window);
        if (window == windows - 1) short_slot_ = slot;
    }
}

// Batches of a few rows take theirs from what was computed for many.
void EpochOrder::fill(std::int64_t epoch, std::int64_t first, std::int64_t count, std::int64_t* out) {
    if (order_.kind != OrderKind::shuffled || 2 * count > ahead) return fill_now(epoch, first, count, out);
    if (epoch != ahead_epoch_ || first < ahead_first_ || first + count > ahead_first_ + ahead_count_) {
        ahead_epoch_ = epoch;
        ahead_first_ = first;
        ahead_count_ = std::min(ahead, order_.length - first);
        fill_now(epoch, first, ahead_count_, ahead_);
    }
    std::copy_n(ahead_ + (first - ahead_first_), count, out);
}

void EpochOrder::fill_now(std::int64_t epoch, std::int64_t first, std::int64_t count, std::int64_t* out) {
    if (order_.kind == OrderKind::sequential) {
        for (std::int64_t i = 0; i < count; ++i) out[i] = first + i;
    } else if (order_.kind == OrderKind::given) {
        std::copy_n(order_.given + (epoch - order_.first_epoch) * order_.epoch_stride + first, count, out);
    } else {
        if (epoch != epoch_) start_epoch(epoch);
        if (order_.window == 0) {
            chosen_instruction_set().positions(whole_, first, count, 0, out);
        } else {
            fill_windows(first, count, out);
        }
    }
}

void EpochOrder::fill_windows(std::int64_t first, std::int64_t count, std::int64_t* out) {
    const std::int64_t size = order_.window, rest = order_.length % size;
    while (count > 0) {
        std::int64_t slot = first / size, begin = slot * size, length = size;
        if (slot >= short_slot_) {
            begin = short_slot_ * size;
            if (first < begin + rest) {
                slot = short_slot_;
                length = rest;
            } else {
                slot = short_slot_ + 1 + (first - begin - rest) / size;
                begin += rest + (slot - short_slot_ - 1) * size;
            }
        }
        std::int64_t window;
        chosen_instruction_set().positions(whole_, slot, 1, 0, &window);
        if (window != inside_window_) {
            inside_ = make_bijection(length, order_.seed, epoch_, first_window_stream + static_cast<std::uint64_t>(window));
            inside_window_ = window;
        }
        const std::int64_t some = std::min(count, begin + length - first);
        chosen_instruction_set().positions(inside_, first - begin, some, window * size, out);
        first += some;
        count -= some;
        out += some;
    }
}

}  // namespace chainrule
