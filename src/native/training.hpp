// A stretch of mini-batches: gather, forward, backward, sum, update, without Python in between.
//
// A batch is cut into at most four segments of rows, by shapes alone; each segment has its own gradient. Threads
// take segments, meet, add the segments' gradients in order (each thread for its share of the parameters), meet,
// and update. Included at the end of runtime.cpp.
#pragma once

namespace chainrule {

template <class T>
struct Machine<T>::Impl::Stretch {
    const Impl& m;
    const Training& t;
    Outcome outcome;

    std::int64_t epoch_batches, chunks;
    int fetched;
    int most_segments;
    std::int64_t stride;
    Buffer<T> parameters, gradient, segment_gradients;  // each with room for one more vector, as ``Buffer`` has it
    std::vector<const T*> parts;
    T *slot_1, *slot_2;
    double losses[4] = {}, weights[4] = {};
    std::vector<double> squares, penalties;
    Spans spans;
    std::atomic<bool> stop{false}, trouble{false};
    bool finished = false;                     // written by the leader between meetings
    std::atomic<std::int64_t> alone_until{0};  // the batch before which the others only wait
    std::unique_ptr<std::atomic<std::int64_t>[]> waited;  // nanoseconds of each thread at meetings

    static constexpr std::int64_t chunk = 4096;  // parameters whose squares are added up together

    Stretch(const Impl& machine, const Training& training, const T* theta, T* first, T* second)
        : m(machine), t(training), slot_1(first), slot_2(second) {
        epoch_batches = batches_per_epoch(t.order.length, t.batch_size, t.drop_last);
        fetched = m.fetched_input(t.rows);
        most_segments = segments_of(std::min(t.batch_size, t.order.length));
        stride = round_to(m.gradient_size, line);
        chunks = (m.data.theta_size + chunk - 1) / chunk;
        parameters.resize(m.total_size);
        gradient.resize(stride);
        segment_gradients.resize(stride * most_segments);
        for (int s = 0; s < most_segments; ++s) parts.push_back(segment_gradients.get() + s * stride);
        squares.resize(static_cast<std::size_t>(chunks));
        penalties.resize(static_cast<std::size_t>(chunks));
        spans = {t.spans.data(), static_cast<std::int64_t>(t.spans.size())};
        if (m.total_size == m.data.theta_size) spans.padded_end = m.data.theta_size;
        m.set_parameters(theta, parameters.get());
    }

    // One segment for what is done in some 20 microseconds; large parameter vectors cost memory traffic a segment.
    int segments_of(std::int64_t rows) const {
        const double work = static_cast<double>(rows) * m.data.flops_per_row;
        if (rows < 64 || work < 1e6) return 1;
        const bool large = m.gradient_size * static_cast<std::int64_t>(sizeof(T)) > (std::int64_t{1} << 20);
        return rows < 512 || large ? 2 : 4;
    }

    struct Place {
        std::int64_t epoch, first, rows;
        int segments;
        std::int64_t segment_rows;
    };

    Place place_of(std::int64_t i) const {
        const std::int64_t number = t.first_batch + i;
        Place p{};
        p.epoch = number / epoch_batches;
        return placed(p, number % epoch_batches * t.batch_size);
    }

    // The place of the batch after one at `p`, without divisions.
    Place after(Place p) const {
        const std::int64_t first = p.first + t.batch_size;
        const bool ends = t.drop_last ? first > t.order.length - t.batch_size : first >= t.order.length;
        p.epoch += ends;
        return placed(p, ends ? 0 : first);
    }

    Place placed(Place p, std::int64_t first) const {
        p.first = first;
        p.rows = std::min(t.batch_size, t.order.length - p.first);
        p.segments = segments_of(p.rows);
        p.segment_rows = p.segments == 1 ? p.rows : round_to((p.rows + p.segments - 1) / p.segments, 16);
        return p;
    }

    // One block after another, each thread's own in the order in which it meets them.
    struct Position {
        std::int64_t batch, row, rows;  // row: in its mini-batch
        Place place;
        int segment;
    };

    Position begin_of(std::int64_t i, const Place& place, int s, std::int64_t ld) const {
        Position at{i, 0, 0, place, s};
        at.row = s * at.place.segment_rows;
        at.rows = rows_at(at, ld);
        return at;
    }

    static std::int64_t segment_end(const Position& at) {
        return std::min((at.segment + 1) * at.place.segment_rows, at.place.rows);
    }

    static std::int64_t rows_at(const Position& at, std::int64_t ld) { return std::min(ld, segment_end(at) - at.row); }

    // The block that this thread will work on next, without rows where there is none.
    Position next_of(const Position& at, std::int64_t ld, int thread, int threads) const {
        Position next = at;
        next.row += at.rows;
        if (next.row < segment_end(at)) {
            next.rows = rows_at(next, ld);
            return next;
        }
        for (int s = at.segment + 1; s < at.place.segments; ++s) {
            if (owner(s, at.place.segments, threads) == thread) return begin_of(at.batch, at.place, s, ld);
        }
        next.rows = 0;
        if (at.batch + 1 >= t.n_batches) return next;
        const Place place = place_of(at.batch + 1);
        for (int s = 0; s < place.segments; ++s) {
            if (owner(s, place.segments, threads) == thread) return begin_of(at.batch + 1, place, s, ld);
        }
        return next;
    }

    static int owner(int segment, int segments, int threads) { return segment * threads / segments; }

    void run_segment(std::int64_t i, const Place& p, int s, Workspace<T>& space, EpochOrder& order, std::int64_t ld, int thread, int threads) {
        Block<T> block = m.block_of(space, ld, parameters.get());
        block.gradients = segment_gradients.get() + s * stride;
        block.draw.drop = t.drop;
        block.draw.seed = t.dropout_seed;
        block.draw.step = static_cast<std::uint64_t>(t.first_step + i);
        if (!t.dropout.empty()) block.draw.level = t.dropout[static_cast<std::size_t>(i)];
        losses[s] = weights[s] = 0.0;
        block.first = true;
        Position at = begin_of(i, p, s, ld);
        while (at.batch == i && at.segment == s && at.rows > 0) {
            block.rows = at.rows;
            block.draw.first_row = at.row;
            const std::int64_t number = at.batch * t.batch_size + at.row;
            if (space.prepared == number && space.prepared_rows == at.rows) {
                std::swap(space.index, space.next_index);
            } else {
                order.fill(at.place.epoch, at.place.first + at.row, at.rows, space.index.get());
            }
            space.prepared = -1;
            const Position next = fetched < 0 ? at : next_of(at, ld, thread, threads);
            if (fetched >= 0) {
                if (next.rows > 0) {
                    order.fill(next.place.epoch, next.place.first + next.row, next.rows, space.next_index.get());
                    space.prepared = next.batch * t.batch_size + next.row;
                    space.prepared_rows = next.rows;
                }
                m.look_ahead(t.rows, fetched, next.rows, space, block);
            }
            m.load(t.rows, space.index.get(), space, block);
            m.run(m.forward, block);
            m.add_losses(block, &losses[s], &weights[s]);
            m.run(m.backward, block);
            block.first = false;
            at.row += at.rows;
            at.rows = std::max<std::int64_t>(0, rows_at(at, ld));
        }
        if (space.trouble.row >= 0) trouble.store(true, std::memory_order_relaxed);
    }

    double penalty_scale(double weight) const {
        if (!t.penalty_by_weight) return 1.0;
        return weight > 0 ? 1.0 / weight : 0.0;
    }

    // The gradient and the penalty of the parameters in one chunk.
    void combine_chunk(std::int64_t c, const Place& p, double weight) {
        const std::int64_t begin = c * chunk, end = std::min(begin + chunk, m.data.theta_size);
        const auto slot = static_cast<std::size_t>(c);
        const bool derived = m.data.derived_size > 0;  // then the segments are summed already
        const T* own = gradient.get();
        penalties[slot] = 0.0;
        squares[slot] = m.kernels.combine(derived ? &own : parts.data(), derived ? 1 : p.segments,
                                          weight > 0 ? 1.0 / weight : 0.0, penalty_scale(weight), parameters.get(),
                                          spans, begin, end, gradient.get(), &penalties[slot]);
    }

    void combine_derived(const Place& p) {
        double none = 0.0;
        const Span everything{0, m.gradient_size, 0.0, 0.0, 1.0, 1.0};
        m.kernels.combine(parts.data(), p.segments, 1.0, 0.0, parameters.get(), {&everything, 1}, 0, m.gradient_size,
                          gradient.get(), &none);
        m.derive_back(parameters.get(), gradient.get());
    }

    double exact_norm() const {
        double norm = 0.0;
        for (std::int64_t i = 0; i < m.data.theta_size; ++i) {
            norm = std::hypot(norm, static_cast<double>(gradient.get()[i]));
        }
        return norm;
    }

    UpdateOptions options(std::int64_t i, double norm) const {
        UpdateOptions o{};
        o.rule = t.rule;
        o.momentum = t.momentum;
        o.rho = t.rho;
        o.beta_1 = t.beta_1;
        o.beta_2 = t.beta_2;
        o.epsilon = t.epsilon;
        o.weight_decay = t.weight_decay * (t.decay.empty() ? 1.0 : t.decay[static_cast<std::size_t>(i)]);
        o.raw_rate = o.learning_rate = t.rates[t.one_rate ? 0 : i];
        o.clip_scale = t.clip_norm > 0 && norm > t.clip_norm ? t.clip_norm / norm : 1.0;
        if (t.rule == Rule::adam) {
            const double count = static_cast<double>(t.first_step_of_rule + i + 1);
            o.learning_rate *= std::sqrt(1.0 - std::pow(t.beta_2, count)) / (1.0 - std::pow(t.beta_1, count));
        }
        return o;
    }

    // `kept`: where theta is noted down as well, or null.
    void update_chunk(std::int64_t c, const UpdateOptions& o, T* kept) {
        const std::int64_t begin = c * chunk, end = std::min(begin + chunk, m.data.theta_size);
        m.kernels.update(o, spans, begin, end, gradient.get(), parameters.get(), slot_1, slot_2);
        if (kept != nullptr) std::copy(parameters.get() + begin, parameters.get() + end, kept + begin);
    }

    // The row for theta after batch i; null where no epoch ends with it or nobody asks.
    T* after_epoch(std::int64_t i) const {
        const std::int64_t number = t.first_batch + i;
        if (t.after_epochs == nullptr || (number + 1) % epoch_batches != 0) return nullptr;
        const std::int64_t row = number / epoch_batches - t.first_batch / epoch_batches;
        return static_cast<T*>(t.after_epochs) + row * m.data.theta_size;
    }

    void run(Loan& spaces, Team& team) {
        Barrier barrier(team.size());
        waited.reset(new std::atomic<std::int64_t>[static_cast<std::size_t>(team.size())]());
        Clock clock(t.poll);
        auto body = [&](int thread) {
            [[maybe_unused]] const FlushDenormals flushed;
            loop(thread, team.size(), spaces[thread], barrier, clock);
        };
        team.run(body);
        for (int i = 0; i < team.size(); ++i) collect_trouble(spaces[i], outcome);
    }

    // All threads run this loop in step; what they decide, they decide from the same numbers. Where other programs keep
    // the threads from running at the same time, they would wait for each other more than they work: then the leader
    // goes on alone for a while. The numbers do not depend on who computes them.
    void loop(int thread, int threads, Workspace<T>& space, Barrier& barrier, Clock& clock) {
        EpochOrder order(t.order);
        Companions companions(*this, thread, threads, barrier);
        for (std::int64_t i = 0; i < t.n_batches;) {
            const std::int64_t until = threads == 1 ? t.n_batches : alone_until.load(std::memory_order_relaxed);
            if (until <= i) {
                const Place place = place_of(i);
                if (!run_batch(i++, place, thread, threads, space, order, companions, clock)) return;
                if (thread == 0) companions.judge(i);  // before the others can begin another batch
                companions.meet();
                continue;
            }
            if (thread == 0) {
                Companions nobody(*this, 0, 1, barrier);
                const auto start = std::chrono::steady_clock::now();
                for (Place place = place_of(i); i < until && !finished; place = after(place)) {
                    if (!run_batch(i, place, 0, 1, space, order, nobody, clock)) finished = true;
                    ++i;
                    if (threads > 1 && std::chrono::steady_clock::now() - start > companions.patience) break;
                }
                if (threads > 1) alone_until.store(i, std::memory_order_relaxed);
            }
            if (threads > 1) companions.meet();
            i = threads == 1 ? until : alone_until.load(std::memory_order_relaxed);
            if (finished) return;
            if (threads > 1) companions.meet();
            if (thread == 0) companions.forget();
        }
        if (threads > 1 && thread == 0 && companions.judged > 0) companions.crowded();
        finish(thread == 0, t.n_batches, Stopped::no);
    }

    // The meetings of a team, and how long each member waits at them.
    struct Companions {
        Stretch& stretch;
        const int thread, threads;
        Barrier& barrier;
        std::chrono::steady_clock::time_point since = std::chrono::steady_clock::now();
        std::chrono::nanoseconds patience{};
        int judged = 0;

        Companions(Stretch& whole, int member, int count, Barrier& place)
            : stretch(whole), thread(member), threads(count), barrier(place) {}

        void meet() {
            if (threads == 1) return;
            const auto start = std::chrono::steady_clock::now();
            barrier.wait();
            const auto waited = std::chrono::steady_clock::now() - start;
            stretch.waited[thread].fetch_add(waited.count(), std::memory_order_relaxed);
        }

        void forget() {
            for (int m = 0; m < threads; ++m) stretch.waited[m].store(0, std::memory_order_relaxed);
            since = std::chrono::steady_clock::now();
        }

        // The leader, every few batches: from batch i on alone if someone waited for more than half of the time.
        void judge(std::int64_t i) {
            if (threads == 1 || ++judged < 16) return;
            judged = 0;
            stretch.alone_until.store(crowded() ? stretch.t.n_batches : i, std::memory_order_relaxed);
            patience = std::chrono::nanoseconds(stretch.m.patience.load(std::memory_order_relaxed));
            since = std::chrono::steady_clock::now();
        }

        bool crowded() {
            const auto now = std::chrono::steady_clock::now();
            std::int64_t longest = 0;
            for (int m = 0; m < threads; ++m) {
                longest = std::max(longest, stretch.waited[m].exchange(0, std::memory_order_relaxed));
            }
            return stretch.m.learn(2 * longest > (now - since).count(), now);
        }
    };

    // False where the stretch ends with this batch.
    bool run_batch(std::int64_t i, const Place& p, int thread, int threads, Workspace<T>& space, EpochOrder& order,
                   Companions& companions, Clock& clock) {
        const bool leader = thread == 0;
        const bool shared = chunks >= 2 && threads > 1;  // enough parameters to divide them among threads
        const std::int64_t ld = m.ld_for(p.segment_rows);
        if (leader) {
            const bool asked = t.stop != nullptr && *t.stop != 0;
            if (asked || clock.interrupted()) stop.store(true, std::memory_order_relaxed);
        }
        for (int s = 0; s < p.segments; ++s) {
            if (owner(s, p.segments, threads) == thread) run_segment(i, p, s, space, order, ld, thread, threads);
        }
        companions.meet();
        if (trouble.load(std::memory_order_relaxed)) return finish(leader, i, Stopped::trouble);
        if (stop.load(std::memory_order_relaxed)) return finish(leader, i, Stopped::interrupted);
        double loss = 0.0, weight = 0.0;
        for (int s = 0; s < p.segments; ++s) {
            loss += losses[s];
            weight += weights[s];
        }
        if (leader) {
            t.losses[i] = weight > 0 ? loss / weight : 0.0;
            t.weights[i] = weight;
        }
        if (!std::isfinite(loss) || !std::isfinite(weight)) return finish(leader, i, Stopped::loss);
        if (m.data.derived_size > 0) {
            if (leader) combine_derived(p);
            companions.meet();
        }
        const std::int64_t first = shared ? thread : leader ? 0 : chunks, step = shared ? threads : 1;
        for (std::int64_t c = first; c < chunks; c += step) combine_chunk(c, p, weight);
        companions.meet();
        double square = 0.0, penalty = 0.0;
        for (std::int64_t c = 0; c < chunks; ++c) {
            square += squares[static_cast<std::size_t>(c)];
            penalty += penalties[static_cast<std::size_t>(c)];
        }
        double norm = std::sqrt(square);
        if (!std::isfinite(norm)) norm = exact_norm();  // the squares may overflow where the gradient does not
        if (leader) {
            t.penalties[i] = penalty;
            t.norms[i] = norm;
        }
        if (!std::isfinite(penalty)) return finish(leader, i, Stopped::loss);
        if (!std::isfinite(norm)) return finish(leader, i, Stopped::gradient);
        const UpdateOptions o = options(i, norm);
        T* const kept = after_epoch(i);
        for (std::int64_t c = first; c < chunks; c += step) update_chunk(c, o, kept);
        if (!m.data.prologue.empty()) {
            companions.meet();
            if (leader) m.derive(parameters.get());
        }
        return true;
    }

    bool finish(bool leader, std::int64_t done, Stopped why) {
        if (!leader) return false;
        outcome.done = done;
        outcome.stopped = why;
        if (why != Stopped::gradient) return false;
        for (std::int64_t i = 0; i < m.data.theta_size && outcome.bad_parameter < 0; ++i) {
            if (!std::isfinite(gradient.get()[i])) outcome.bad_parameter = i;
        }
        return false;
    }
};

template <class T>
Outcome Machine<T>::run_batches(T* theta, T* slot_1, T* slot_2, const Training& training) const {
    typename Impl::Stretch stretch(*impl_, training, theta, slot_1, slot_2);
    const double rows = static_cast<double>(std::min(training.batch_size, training.order.length));
    Team team(impl_->crowded_now() ? 1 : impl_->worthwhile(training.threads, rows, stretch.most_segments));
    typename Impl::Loan spaces(*impl_, team.size(), training.rows);
    stretch.run(spaces, team);
    std::copy_n(stretch.parameters.get(), impl_->data.theta_size, theta);
    return stretch.outcome;
}

}  // namespace chainrule
