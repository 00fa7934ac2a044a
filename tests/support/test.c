/* SPDX-License-Identifier: MIT */
/* The portable half of the test support: the position in the test, names, parts. */
#include "test.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NAMES_MAX = 4096, NAMES_BYTES = 1 << 18, CHILDREN_MAX = 256 };

/* Survives the crash of the test's process, for its watcher. */
struct place {
    test_context_line contexts[TEST_LEVELS];
    char part[TEST_CONTEXT_ROOM], point[TEST_POINT_ROOM];
    uint32_t name_count, names_at[NAMES_MAX], names_bytes;
    char names[NAMES_BYTES];
};

const char *test_program;
static struct place *place;
static bool is_role; /* this process is a second process */
static test_process children[CHILDREN_MAX];
static int child_count;

test_context_line *test_contexts;
const char *test_part_name = "", *test_point;
char *test_point_now;
bool test_point_met;

static const char *name_at(uint32_t i)
{
    return place->names + place->names_at[i];
}

/* A process that was killed while it created an object has left it incomplete, and its lock file.
   Only the next creator of that name removes them. */
static void remove_name(const char *name)
{
    const struct quoit_region_options options = {.data_bytes = 1};
    quoit_region *region;
    (void)quoit_unlink(name, QUOIT_ANY_OWNER);
    if (quoit_region_create(name, &options, 0, &region) == QUOIT_OK) {
        quoit_region_close(region);
        (void)quoit_unlink(name, 0);
    }
    (void)quoit_sem_unlink(name, 0);
}

void test_remove_names(void)
{
    for (uint32_t i = 0; i < place->name_count; i++)
        remove_name(name_at(i));
}

void test_remove_names_in(const char *path)
{
    char name[QUOIT_PATH_MAX + 32];
    FILE *file = fopen(path, "r");
    while (file && fgets(name, sizeof name, file)) {
        name[strcspn(name, "\n")] = '\0';
        remove_name(name);
    }
    if (file)
        (void)fclose(file);
}

/* A second process may be killed at any time, and only its watcher can then remove its objects. */
static void tell_watcher(const char *name)
{
    const char *path = is_role ? getenv(TEST_NAMES_FILE) : NULL;
    FILE *file = path ? fopen(path, "a") : NULL;
    if (!file)
        return;
    (void)fprintf(file, "%s\n", name);
    (void)fclose(file);
}

void test_child_began(test_process process)
{
    if (child_count < CHILDREN_MAX)
        children[child_count++] = process;
}

void test_child_ended(test_process process)
{
    for (int i = 0; i < child_count; i++)
        if (children[i].id == process.id)
            children[i--] = children[--child_count];
}

/* A child that is left would run for ever, and keep the test's output open. */
void test_kill_children(void)
{
    for (int i = 0; i < child_count; i++)
        test_kill(children[i]);
}

/* ---- The position in the test ---------------------------------------------------------------- */

/* Only the main thread writes the place. */
static _Thread_local bool is_main_thread;

char *test_context_at(int level)
{
    static _Thread_local char unused[TEST_CONTEXT_ROOM];
    if (!is_main_thread)
        return unused;
    for (int i = level + 1; i < TEST_LEVELS; i++)
        test_contexts[i][0] = 0;
    return test_contexts[level];
}

static void print_setting(FILE *stream, const char *variable)
{
    const char *value = getenv(variable);
    if (value)
        (void)fprintf(stream, "%s=%s ", variable, value);
}

void test_print_place(FILE *stream)
{
    const char *before = "";
    (void)fprintf(stream, "  where: ");
    for (int i = 0; i < TEST_LEVELS; i++)
        if (place->contexts[i][0]) {
            (void)fprintf(stream, "%s%s", before, place->contexts[i]);
            before = "; ";
        }
    (void)fprintf(stream, "%s\n", before[0] ? "" : "(no loop)");
    if (!place->part[0]) /* in a second process: the test that started it prints how to repeat it */
        return;
    (void)fprintf(stream, "  again: ");
    print_setting(stream, "QUOIT_TEST_EFFORT");
    print_setting(stream, "QUOIT_CRASH_POINTS");
    (void)fprintf(stream, "%s \"%s\" --seed %llu", test_program, place->part,
                  (unsigned long long)test_seed);
    if (place->point[0])
        (void)fprintf(stream, " --point %s", place->point);
    (void)fprintf(stream, "\n");
}

void test_give_up(void)
{
    if (test_sentence()[0])
        (void)fprintf(stderr, "  latest status checked: %s\n", test_sentence());
    test_print_place(stderr);
    test_kill_children();
    test_remove_names();
    exit(EXIT_FAILURE);
}

void test_skip(const char *reason)
{
    (void)printf("skipped: %s\n", reason);
    test_kill_children();
    test_remove_names();
    exit(TEST_SKIPPED);
}

/* ---- Random numbers, effort ------------------------------------------------------------------ */

uint64_t test_seed;
static bool has_drawn; /* since this part or role began */

/* splitmix64 (Steele, Lea and Flood), which accepts any seed. Each part begins with the seed, so a
   part that runs alone makes the same choices. */
uint64_t test_random(void)
{
    static uint64_t state;
    if (!has_drawn)
        state = test_seed;
    has_drawn = true;
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

bool test_is_full(void)
{
    const char *effort = getenv("QUOIT_TEST_EFFORT");
    return effort && strcmp(effort, "full") == 0;
}

static bool is_emulated(void)
{
    return getenv("QUOIT_TEST_EMULATOR") != NULL;
}

uint64_t test_effort(uint64_t when_short, uint64_t when_full)
{
    if (test_is_full())
        return when_full;
    return is_emulated() ? (when_short + 3) / 4 : when_short;
}

bool test_is_in_sample(void)
{
    return test_is_full() || !is_emulated() || test_random() % 4 == 0;
}

/* ---- Names ----------------------------------------------------------------------------------- */

const char *test_name(const char *scheme)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%s%sqt-%u-%u-%d", scheme, scheme[0] ? ":" : "",
                   (unsigned)test_own_pid(), (unsigned)time(NULL), (int)place->name_count);
    return test_remember(name);
}

const char *test_remember(const char *name)
{
    size_t bytes = strlen(name) + 1;
    if (place->name_count == NAMES_MAX || place->names_bytes + bytes > NAMES_BYTES)
        test_fail(__FILE__, __LINE__, "more than %d names", (int)place->name_count);
    char *kept = place->names + place->names_bytes;
    memcpy(kept, name, bytes);
    place->names_at[place->name_count++] = place->names_bytes;
    place->names_bytes += (uint32_t)bytes;
    tell_watcher(kept);
    return kept;
}

void *test_share(const char *name, uint64_t size_bytes, quoit_region **region_out)
{
    const struct quoit_region_options options = {.data_bytes = size_bytes};
    CHECK_STATUS(quoit_region_create(name, &options, 0, region_out), QUOIT_OK);
    return quoit_region_data(*region_out);
}

void *test_shared(const char *name, uint64_t size_bytes, quoit_region **region_out)
{
    CHECK_STATUS(quoit_region_open(name, 0, region_out), QUOIT_OK);
    CHECK_GE(quoit_region_data_bytes(*region_out), size_bytes);
    return quoit_region_data(*region_out);
}

const char *test_path(const char *name)
{
    return strchr(name, ':') + 1;
}

void test_write_file(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    CHECK(file && fwrite(bytes, 1, count, file) == count && fclose(file) == 0);
}

quoit_status test_after_close(const char *name)
{
    return test_outlives_handles(name) ? QUOIT_OK : QUOIT_ERROR_NOT_FOUND;
}

void test_untouched(const char *name, quoit_status expected)
{
    const struct quoit_region_options small = {.size_bytes = 10000};
    quoit_region *region;
    CHECK_STATUS(quoit_region_open(name, 0, &region), expected);
    CHECK_STATUS(quoit_region_open(name, QUOIT_OBSERVER, &region), expected);
    CHECK_STATUS(quoit_region_create(name, &small, 0, &region), QUOIT_ERROR_EXISTS);
    CHECK_STATUS(quoit_unlink(name, 0), expected);
    CHECK_STATUS(quoit_unlink(name, 0), expected);
}

/* A test may make a directory for its objects, and remove it with them. Then its names are gone
   too. */
static bool has_lost_directory(quoit_status status)
{
    return status == QUOIT_ERROR_SYSTEM &&
           strstr(quoit_describe(status), "does not exist; create it");
}

static bool is_there(const char *name)
{
    quoit_region *region;
    quoit_sem *sem;
    quoit_status status = quoit_region_open(name, QUOIT_OBSERVER | QUOIT_ANY_OWNER, &region);
    if (status == QUOIT_OK)
        quoit_region_close(region);
    bool region_is = status != QUOIT_ERROR_NOT_FOUND && !has_lost_directory(status);
    status = quoit_sem_open(name, QUOIT_ANY_OWNER, &sem);
    if (status == QUOIT_OK)
        quoit_sem_close(sem);
    return region_is || (status != QUOIT_ERROR_NOT_FOUND && status != QUOIT_ERROR_UNSUPPORTED);
}

static void check_names_removed(void)
{
    for (uint32_t i = 0; i < place->name_count; i++)
        if (is_there(name_at(i)))
            test_fail(__FILE__, __LINE__, "'%s' was left behind", name_at(i));
    place->name_count = 0;
}

/* ---- The program ----------------------------------------------------------------------------- */

struct command {
    const char *part, *role;
    char **arguments; /* the role's */
    bool lists, helps;
};

static void print_help(void)
{
    (void)printf(
        "%s [PART] [--seed N] [--point POINT] [--list] [--help]\n"
        "  PART           that part alone; all of them without\n"
        "  --seed N       the seed of random choices, as a run before has printed it\n"
        "  --point POINT  crash tests: that point of PART alone, as a failure has printed it\n"
        "  --list         prints the parts\n"
        "Exit code: 0 passed, 1 failed, %d skipped.\n"
        "QUOIT_TEST_EFFORT=short|full   how long it tries (short)\n"
        "QUOIT_TEST_TIMEOUT=SECONDS     ends the test and what it started; 0: never (290)\n"
        "QUOIT_CRASH_POINTS=N|all|every crash tests: how many points of each operation\n",
        test_program, TEST_SKIPPED);
}

static void list_parts(const struct test_part *parts)
{
    for (; parts->name; parts++)
        (void)printf("%s\n", parts->name);
}

static const char *value_of(char ***argument)
{
    if (!(*argument)[1])
        test_fail(__FILE__, __LINE__, "%s needs a value; see --help", **argument);
    return *++*argument;
}

static struct command parse(char **argument)
{
    struct command command = {0};
    for (; *argument && !command.role; argument++)
        if (strcmp(*argument, "--seed") == 0)
            test_seed = strtoull(value_of(&argument), NULL, 10);
        else if (strcmp(*argument, "--point") == 0)
            test_point = value_of(&argument);
        else if (strcmp(*argument, "--role") == 0)
            command.role = value_of(&argument);
        else if (strcmp(*argument, "--list") == 0)
            command.lists = true;
        else if (strcmp(*argument, "--help") == 0)
            command.helps = true;
        else if (strncmp(*argument, "--", 2) == 0)
            test_fail(__FILE__, __LINE__, "unknown option '%s'; see --help", *argument);
        else
            command.part = *argument;
    command.arguments = argument;
    return command;
}

static int run_role(const struct test_role *roles, const struct command *command)
{
    TEST_CONTEXT("a second process, '%s' %s %s", command->role,
                 command->arguments[0] ? command->arguments[0] : "",
                 command->arguments[0] && command->arguments[1] ? command->arguments[1] : "");
    test_explain_ending();
    for (; roles && roles->name; roles++)
        if (strcmp(roles->name, command->role) == 0) {
            roles->run(command->arguments);
            return EXIT_SUCCESS;
        }
    test_fail(__FILE__, __LINE__, "no role '%s'", command->role);
}

static void run_part(const struct test_part *part)
{
    int descriptors = test_open_descriptors();
    (void)snprintf(place->part, sizeof place->part, "%s", part->name);
    test_part_name = part->name;
    TEST_CONTEXT("%s", "");
    has_drawn = false;
    (void)printf("%s\n", part->name);
    (void)fflush(stdout);
    part->run();
    TEST_CONTEXT("%s", "");
    CHECK_EQ(test_open_descriptors(), descriptors);
}

static int run_parts(const struct test_part *parts, const struct command *command)
{
    int ran = 0;
    for (; parts->name; parts++)
        if (!command->part || strcmp(command->part, parts->name) == 0) {
            run_part(parts);
            ran++;
        }
    check_names_removed();
    if (ran == 0)
        test_fail(__FILE__, __LINE__, "there is no part '%s'; --list prints them", command->part);
    if (test_point && !test_point_met)
        test_fail(__FILE__, __LINE__, "there is no point '%s'", test_point);
    return EXIT_SUCCESS;
}

static unsigned time_limit(void)
{
    const char *text = getenv("QUOIT_TEST_TIMEOUT");
    return text ? (unsigned)strtoul(text, NULL, 10) : 290;
}

/* A second process may be killed at any moment, so it makes no file and has no watcher. */
static void prepare(bool as_role)
{
    is_role = as_role;
    is_main_thread = true;
    place = is_role ? calloc(1, sizeof *place) : test_watched_memory(sizeof *place);
    if (!place)
        exit(EXIT_FAILURE);
    test_contexts = place->contexts;
    test_point_now = place->point;
    test_seed = (uint64_t)time(NULL) * 1000 + test_own_pid() % 1000;
}

int test_main(int argc, char **argv, const struct test_part *parts, const struct test_role *roles)
{
    test_program = argv[0];
    prepare(argc > 1 && strcmp(argv[1], "--role") == 0);
    argv = test_begin(argc, argv);
    test_program = argv[0];
    struct command command = parse(argv + 1);
    if (command.role)
        return run_role(roles, &command);
    if (command.helps || command.lists) {
        if (command.helps)
            print_help();
        list_parts(command.lists ? parts : &(struct test_part){NULL, NULL});
        return EXIT_SUCCESS;
    }
    (void)printf("seed %llu\n", (unsigned long long)test_seed);
    (void)fflush(stdout);
    if (time_limit() > 0)
        test_watch(time_limit());
    return run_parts(parts, &command);
}
