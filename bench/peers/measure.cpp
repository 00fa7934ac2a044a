/* SPDX-License-Identifier: MIT */
/* The command line of the comparisons, and the data that they keep between runs. */
#include "measure.hpp"

namespace bench
{

options settings;
double latest_canary;

void parse(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        std::string word = argv[i];
        if (word == "--threads") {
            settings.processes = false;
        } else if (word == "--rounds" && i + 1 < argc && std::atoi(argv[i + 1]) > 0) {
            settings.rounds = std::atoi(argv[++i]);
        } else {
            std::fprintf(stderr, "%s: '%s' is not known; [--rounds N] [--threads]\n", argv[0],
                         word.c_str());
            std::exit(2);
        }
    }
    if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
        std::fprintf(stderr, "%s: one CPU; two are needed\n", argv[0]);
        std::exit(77);
    }
}

} // namespace bench
