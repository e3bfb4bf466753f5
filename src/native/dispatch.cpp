// Which instruction set to run with: the best that this machine has, or the one named by CHAINRULE_ISA.
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "runtime.hpp"

namespace chainrule {

#ifdef CHAINRULE_WITH_X86
namespace avx512 {
extern const InstructionSet instruction_set;
}
namespace avx2 {
extern const InstructionSet instruction_set;
}
#endif
namespace baseline {
extern const InstructionSet instruction_set;
}

const std::vector<const InstructionSet*>& instruction_sets() {
    static const std::vector<const InstructionSet*> sets = [] {
        std::vector<const InstructionSet*> found;
#ifdef CHAINRULE_WITH_X86
        __builtin_cpu_init();
        const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                          __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
        if (avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
            __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512cd")) {
            found.push_back(&avx512::instruction_set);
        }
        if (avx2) found.push_back(&avx2::instruction_set);
#endif
        found.push_back(&baseline::instruction_set);
        return found;
    }();
    return sets;
}

const InstructionSet& chosen_instruction_set() {
    static const InstructionSet& chosen = []() -> const InstructionSet& {
        const char* asked = std::getenv("CHAINRULE_ISA");
        if (asked == nullptr || *asked == '\0') return *instruction_sets().front();
        std::string known;
        for (const InstructionSet* set : instruction_sets()) {
            if (std::string(asked) == set->name) return *set;
            known += std::string(known.empty() ? "" : ", ") + set->name;
        }
        throw std::invalid_argument("CHAINRULE_ISA=" + std::string(asked) + " is not to be had here; there are: " + known);
    }();
    return chosen;
}

}  // namespace chainrule
