/* SPDX-License-Identifier: MIT */
/* Shared by the Windows mechanisms: names as UTF-16, security, and two queries of kernel objects
   that only ntdll has. */
#ifndef QUOIT_OS_WIN32_H
#define QUOIT_OS_WIN32_H

#include "os.h"

#include <windows.h>

/* ---- Names, names_windows.c ------------------------------------------------------------------ */

enum { QUOIT_OS_WIDE_ROOM = 4096 };

struct quoit_os_wide {
    wchar_t text[QUOIT_OS_WIDE_ROOM];
};

/* NAME: not UTF-8, or too long. */
quoit_status quoit_os_widen(const char *utf8, struct quoit_os_wide *wide_out);
/* False: no room. */
bool quoit_os_narrow(const wchar_t *wide, char *utf8_out, int room);

/* Paths of files, paths_windows.c. Refuses devices, pipes and network drives before anything is
   opened. NAME NOT_QUOIT UNSUPPORTED. */
enum { QUOIT_OS_TEMPORARY_LENGTH = 23 }; /* of the longest name that replaces a path's last part */
quoit_status quoit_os_path_widen(const char *path, struct quoit_os_wide *out);
const wchar_t *quoit_os_path_base(const wchar_t *path); /* where its last part begins */
quoit_status quoit_os_path_not_a_file(const char *path);
quoit_status quoit_os_path_on_network(const char *path);

/* "Global\products" is products for the whole machine, else for this logon session. */
enum quoit_os_scope { QUOIT_OS_LOCAL = 0, QUOIT_OS_GLOBAL = 1 };

/* The name of a kernel object: SCOPE\quoit.KIND.IDENTITY; kinds may be numbered: lock1. */
struct quoit_os_object_name {
    wchar_t text[80];
};
struct quoit_os_object_name quoit_os_name_object(enum quoit_os_scope scope, const wchar_t *kind,
                                                 uint64_t identity);
struct quoit_os_object_name quoit_os_name_numbered(const struct quoit_os_shm *shm,
                                                   const wchar_t *kind, uint32_t number);

/* A number that no other object on this machine has. */
uint64_t quoit_os_new_identity(void);

/* ---- Security, security_windows.c ------------------------------------------------------------ */

/* A security descriptor that grants what the mode bits ask for: to this process's user, its primary
   group, and everyone. waitable: for a mutex, semaphore or event; the right to write includes the
   right to wait. */
struct quoit_os_security {
    SECURITY_ATTRIBUTES attributes;
};
quoit_status quoit_os_security_make(uint32_t permissions, bool waitable,
                                    struct quoit_os_security *security_out);
void quoit_os_security_free(struct quoit_os_security *security);

/* Owner and mode bits of a file, or of a named object, that was opened with READ_CONTROL. */
quoit_status quoit_os_security_read(HANDLE object, bool is_file, const char *what,
                                    struct quoit_os_shm *shm);

/* ---- Entries, entry_windows.c ----------------------------------------------------------------
 * A kernel object keeps its name until its last handle is closed. So the name belongs not to the
 * object but to a small section, the entry. It holds the object's identity, and unlink clears that.
 */
enum quoit_os_entry_kind { QUOIT_OS_ENTRY_MEMORY, QUOIT_OS_ENTRY_SEMAPHORE };

struct quoit_os_entry {
    enum quoit_os_entry_kind kind;
    enum quoit_os_scope scope;
    const char *name; /* as it was given */
    const char *text; /* without the scope */
    HANDLE section;
};

/* Sets kind, scope, name and text. NAME: text is empty, or has a backslash of its own. */
quoit_status quoit_os_entry_name(enum quoit_os_entry_kind kind, const char *text,
                                 struct quoit_os_entry *entry_out);
/* open opens the section: NOT_FOUND NOT_QUOIT PERMISSION. make also makes it if there is none. */
quoit_status quoit_os_entry_open(struct quoit_os_entry *entry, bool read_only);
quoit_status quoit_os_entry_make(struct quoit_os_entry *entry, uint32_t permissions);
/* The identity of the object that it leads to; 0: none. */
uint64_t quoit_os_entry_read(const struct quoit_os_entry *entry);
/* Stores the identity. EXISTS: the entry leads to a live object. */
quoit_status quoit_os_entry_link(const struct quoit_os_entry *entry, uint64_t identity);
/* Clears the identity. NOT_FOUND: the entry holds another one. */
quoit_status quoit_os_entry_unlink(const struct quoit_os_entry *entry, uint64_t identity);

/* The name of the object that has the identity. */
struct quoit_os_object_name quoit_os_entry_target(const struct quoit_os_entry *entry,
                                                  uint64_t identity);

/* ---- Memory, section_windows.c --------------------------------------------------------------- */

/* A committed section of that name (NULL: none), mapped. EXISTS NO_SPACE. */
quoit_status quoit_os_section_create(const wchar_t *name, uint64_t size_bytes, uint32_t permissions,
                                     const char *what, struct quoit_os_shm *shm_out);
/* Maps a section, which then belongs to shm_out. Does not set the owner: nameless sections, and
   those of files, may have none. */
quoit_status quoit_os_section_map(HANDLE section, bool read_only, const char *what,
                                  struct quoit_os_shm *shm_out);
void quoit_os_section_close(struct quoit_os_shm *shm);

/* ---- Locks and gates, liveness_windows.c ----------------------------------------------------- */

/* Releases all locks that a handle still holds when it is closed. */
void quoit_os_lock_release_all(const struct quoit_os_shm *shm);

/* The calling thread holds the gate, for a short time only. BUSY: another process holds it and
   makes no progress. */
quoit_status quoit_os_gate_enter(const wchar_t *name, uint32_t permissions, const char *what,
                                 HANDLE *gate_out);
void quoit_os_gate_leave(HANDLE gate);

/* ---- ntdll, nt_windows.c --------------------------------------------------------------------- */

/* Documented calls return either only by changing it. false: the system does not report it. */
bool quoit_os_semaphore_count(HANDLE semaphore, uint32_t *count_out);
bool quoit_os_mutex_query(HANDLE mutex, bool *held_out, bool *by_caller_out);

#endif
