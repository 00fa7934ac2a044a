/* SPDX-License-Identifier: MIT */
/* The full screen of `quoit top`, by curses. Everything is drawn again each time; curses sends the
   differences. */
#include "print.h"
#include "stream.h"
#include "tool.h"
#include "top.h"

#include <curses.h>
#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <string.h>

enum {
    KIND = 5,
    SIZE = 11,
    RATE = 7,
    WHO = 5,
    MARK = 4,
    GAPS = 8,
    HEAD_LINES = 2,
    FOOT_LINES = 1,
    STEP_MS = 100 /* a signal ends the program within this time */
};
enum pair { NO_PAIR, RED, YELLOW, GREEN, CYAN };

struct screen {
    struct top *top;
    int name, bar, graph; /* columns */
    size_t first;         /* the row that is shown on top */
    bool utf8;
};

/* Puts at most `columns` characters of text, and no more than fit on the line. */
static void put(int y, int x, int columns, const char *text)
{
    int bytes = 0;
    if (columns > COLS - x)
        columns = COLS - x;
    for (; text[bytes] && columns > 0; columns--)
        do
            bytes++;
        while (((unsigned char)text[bytes] & 0xc0) == 0x80);
    if (bytes > 0)
        (void)mvaddnstr(y, x, text, bytes);
}

static void put_right(int y, int x, int columns, const char *text)
{
    int blanks = columns - print_columns(text);
    put(y, x + (blanks > 0 ? blanks : 0), columns, text);
}

static void paint(enum pair pair, bool on)
{
    if (!has_colors() || pair == NO_PAIR)
        return;
    if (on)
        (void)attron(COLOR_PAIR(pair));
    else
        (void)attroff(COLOR_PAIR(pair));
}

static int clamp(int value, int low, int high)
{
    if (value < low)
        return low;
    return value > high ? high : value;
}

static void lay_out(struct screen *screen)
{
    int rest = COLS - (KIND + SIZE + 2 * RATE + WHO + MARK + GAPS), longest = 4;
    for (size_t i = 0; i < screen->top->row_count; i++) {
        int columns = print_columns(screen->top->rows[i]->shown);
        longest = columns > longest ? columns : longest;
    }
    screen->name = clamp(longest, 4, clamp(rest / 2, 10, COLS));
    screen->bar = clamp((rest - screen->name) / 3, 6, 20);
    screen->graph = clamp(rest - screen->name - screen->bar, 0, TOP_HISTORY);
}

/* A name that is too long shows its end, where names differ. */
static void put_name(const struct screen *screen, int y, const char *name)
{
    int over = print_columns(name) - screen->name;
    if (over <= 0) {
        put(y, 0, screen->name, name);
        return;
    }
    for (over++; over > 0; over--)
        do
            name++;
        while (((unsigned char)*name & 0xc0) == 0x80);
    put(y, 0, 1, "~");
    put(y, 1, screen->name - 1, name);
}

static void put_bar(const struct screen *screen, int y, int x, double fill)
{
    int full = (int)(fill * screen->bar + 0.5);
    enum pair pair = fill < 0.5 ? GREEN : fill < 0.9 ? YELLOW : RED;
    if (fill > 0 && full == 0)
        full = 1;
    paint(pair, true);
    for (int i = 0; i < full; i++)
        put(y, x + i, 1, screen->utf8 ? "\xe2\x96\x88" : "#");
    paint(pair, false);
    for (int i = full; i < screen->bar; i++)
        put(y, x + i, 1, screen->utf8 ? "\xe2\x96\x91" : ".");
}

/* The newest sample is on the right; the highest of them is as high as a line. */
static void put_graph(const struct screen *screen, int y, int x, const struct top_row *row)
{
    static const char *const blocks[] = {" ",
                                         "\xe2\x96\x81",
                                         "\xe2\x96\x82",
                                         "\xe2\x96\x83",
                                         "\xe2\x96\x84",
                                         "\xe2\x96\x85",
                                         "\xe2\x96\x86",
                                         "\xe2\x96\x87",
                                         "\xe2\x96\x88"};
    static const char *const signs[] = {" ", "_", ".", ":", "-", "=", "+", "*", "#"};
    double most = row->object.type == OBJECT_POOL ? 1 : 0;
    for (int i = 0; i < screen->graph; i++) {
        double value = top_history(row, (uint64_t)i);
        most = value > most ? value : most;
    }
    paint(CYAN, true);
    for (int i = 0; i < screen->graph && most > 0; i++) {
        double value = top_history(row, (uint64_t)i);
        int level = value > 0 ? clamp((int)(value / most * 8 + 0.5), 1, 8) : 0;
        put(y, x + screen->graph - 1 - i, 1, (screen->utf8 ? blocks : signs)[level]);
    }
    paint(CYAN, false);
}

static void put_rate(int y, int x, const struct top_row *row, double value)
{
    char text[PRINT_ROOM] = "-";
    if (row->has_rates)
        print_short(value, text);
    put_right(y, x, RATE, text);
}

static void put_numbers(int y, int x, const struct object *object)
{
    char used[PRINT_ROOM], capacity[PRINT_ROOM], both[2 * PRINT_ROOM];
    print_short((double)object->used, used);
    print_capacity(object, capacity);
    (void)snprintf(both, sizeof both, "%s/%s", used, capacity);
    put_right(y, x, SIZE, object->type == OBJECT_UNKNOWN ? "-" : both);
}

static void put_who(int y, int x, const struct object *object)
{
    char text[PRINT_ROOM];
    if (object->type == OBJECT_POOL)
        (void)snprintf(text, sizeof text, "%" PRIu64, object->alive);
    else
        (void)snprintf(text, sizeof text, "%" PRIu64 "/%" PRIu64, object->producers,
                       object->consumers);
    put_right(y, x, WHO, text);
}

static void put_mark(int y, int x, const struct object *object)
{
    const char *mark = top_mark(object);
    bool is_bad = object->damage[0] != '\0' || object_is_abandoned(object);
    paint(is_bad ? RED : YELLOW, true);
    put(y, x, MARK, mark);
    paint(is_bad ? RED : YELLOW, false);
}

static const char *short_kind(const struct object *object)
{
    if (object->type == OBJECT_QUEUE && object->queue.kind == QUOIT_BROADCAST)
        return object->queue.when_full == QUOIT_DROP_OLDEST ? "lossy" : "bcast";
    return object_kind(object);
}

static void put_row(const struct screen *screen, int y, const struct top_row *row)
{
    int x = screen->name + 1;
    put_name(screen, y, row->shown);
    put(y, x, KIND, short_kind(&row->object));
    x += KIND + 1;
    put_bar(screen, y, x, row->object.fill);
    x += screen->bar + 1;
    put_numbers(y, x, &row->object);
    x += SIZE + 1;
    put_rate(y, x, row, row->pushed_per_s);
    x += RATE + 1;
    put_rate(y, x, row, row->popped_per_s);
    x += RATE + 1;
    put_who(y, x, &row->object);
    x += WHO + 1;
    put_mark(y, x, &row->object);
    x += MARK + 1;
    put_graph(screen, y, x, row);
}

static void put_heads(const struct screen *screen)
{
    char line[PRINT_ROOM + 80];
    int x = screen->name + 1;
    (void)snprintf(line, sizeof line, "quoit top: %zu object%s, by %s, every %g s",
                   screen->top->row_count, screen->top->row_count == 1 ? "" : "s",
                   top_order_name(screen->top->order), screen->top->interval_s);
    (void)attron(A_BOLD);
    put(0, 0, COLS, line);
    (void)attroff(A_BOLD);
    (void)attron(A_REVERSE);
    for (int i = 0; i < COLS; i++)
        put(1, i, 1, " ");
    put(1, 0, screen->name, "NAME");
    put(1, x, KIND, "KIND");
    x += KIND + 1;
    put(1, x, screen->bar, "FILL");
    x += screen->bar + 1;
    put_right(1, x, SIZE, "SIZE");
    x += SIZE + 1;
    put_right(1, x, RATE, "IN/s");
    x += RATE + 1;
    put_right(1, x, RATE, "OUT/s");
    x += RATE + 1;
    put_right(1, x, WHO, "P/C");
    x += WHO + 1;
    put(1, x, MARK, "MARK");
    put(1, x + MARK + 1, screen->graph, screen->graph < 10 ? "IN" : "PUSHED LATELY");
    (void)attroff(A_REVERSE);
}

static size_t rows_shown(void)
{
    return (size_t)clamp(LINES - HEAD_LINES - FOOT_LINES, 0, LINES);
}

static void draw(struct screen *screen)
{
    char line[2 * PRINT_ROOM + 80];
    size_t count = screen->top->row_count, shown = rows_shown();
    if (screen->first + shown > count)
        screen->first = count > shown ? count - shown : 0;
    lay_out(screen);
    (void)erase();
    put_heads(screen);
    for (size_t i = 0; i < shown && screen->first + i < count; i++)
        put_row(screen, HEAD_LINES + (int)i, screen->top->rows[screen->first + i]);
    if (count == 0)
        put(HEAD_LINES, 0, COLS, "There is no queue and no pool.");
    size_t last = screen->first + shown < count ? screen->first + shown : count;
    (void)snprintf(line, sizeof line,
                   "q quit  s sort  n name  r rate  f fill  arrows scroll   %zu-%zu of %zu",
                   last > 0 ? screen->first + 1 : 0, last, count);
    (void)attron(A_DIM);
    put(LINES - 1, 0, COLS, line);
    (void)attroff(A_DIM);
    (void)refresh();
}

static void scroll_by(struct screen *screen, long rows)
{
    if (rows < 0 && screen->first < (size_t)-rows)
        screen->first = 0;
    else
        screen->first = (size_t)((long)screen->first + rows); /* draw keeps it inside */
}

/* Handles a key. false: it ends the program. */
static bool press(struct screen *screen, int key)
{
    struct top *top = screen->top;
    long page = (long)rows_shown();
    switch (key) {
    case 'q':
    case 'Q':
        return false;
    case 's':
        top->order = (enum top_order)((top->order + 1) % TOP_ORDERS);
        break;
    case 'n':
        top->order = TOP_BY_NAME;
        break;
    case 'r':
        top->order = TOP_BY_RATE;
        break;
    case 'f':
        top->order = TOP_BY_FILL;
        break;
    case KEY_UP:
        scroll_by(screen, -1);
        break;
    case KEY_DOWN:
        scroll_by(screen, 1);
        break;
    case KEY_PPAGE:
        scroll_by(screen, -page);
        break;
    case KEY_NPAGE:
        scroll_by(screen, page);
        break;
    case KEY_HOME:
        screen->first = 0;
        break;
    case KEY_END:
        scroll_by(screen, (long)top->row_count);
        break;
    default: /* KEY_RESIZE, too: all is drawn again */
        break;
    }
    top_sort(top);
    draw(screen);
    return true;
}

/* Handles keys until the next sample is due. false: a key or a signal ends the program. */
static bool wait_for_keys(struct screen *screen)
{
    uint64_t until = screen->top->sampled_ns + (uint64_t)(screen->top->interval_s * 1e9);
    for (uint64_t now = stream_now_ns(); now < until; now = stream_now_ns()) {
        uint64_t left_ms = (until - now) / 1000000 + 1;
        timeout(left_ms < STEP_MS ? (int)left_ms : STEP_MS);
        int key = getch();
        if (top_is_ended() || (key != ERR && !press(screen, key)))
            return false;
        /* If the terminal is gone, getch returns at once each time. */
        if (key == ERR && stream_now_ns() - now < 1000000)
            stream_sleep_ms(10);
    }
    return true;
}

static bool can_move(void)
{
    const char *move = tigetstr("cup");
    return move && (intptr_t)move != -1;
}

static void begin_colours(void)
{
    if (!has_colors())
        return;
    (void)start_color();
    (void)use_default_colors();
    (void)init_pair(RED, COLOR_RED, -1);
    (void)init_pair(YELLOW, COLOR_YELLOW, -1);
    (void)init_pair(GREEN, COLOR_GREEN, -1);
    (void)init_pair(CYAN, COLOR_CYAN, -1);
}

int top_screen(struct top *top)
{
    struct screen screen = {.top = top};
    (void)setlocale(LC_CTYPE, "");
    screen.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    SCREEN *terminal = newterm(NULL, stdout, stdin);
    if (!terminal)
        return -1;
    if (!can_move()) {
        (void)endwin();
        delscreen(terminal);
        return -1;
    }
    begin_colours();
    (void)cbreak();
    (void)noecho();
    (void)nonl();
    (void)curs_set(0);
    (void)keypad(stdscr, TRUE);
    int code = TOOL_OK;
    for (uint64_t shown = 0; shown < top->count; shown++) {
        if (!top_sample(top)) {
            code = TOOL_FAILED;
            break;
        }
        draw(&screen);
        if (!wait_for_keys(&screen))
            break;
    }
    (void)endwin();
    delscreen(terminal);
    return code;
}
