/* A disk that fails on purpose and writes down what reached it: preloaded into a process (LD_PRELOAD), it stands between
 * everything in it, SQLite too, and the files below one folder. One seam under all that is ever written.
 *
 *   DISK_ROOT    the folder
 *   DISK_LOG     what happened, in order: struct op, then its data. `disk.py` makes power cuts of it.
 *   DISK_SEED    of chance
 *   DISK_FAULTS  "sync EIO 0.1;write ENOSPC 0.05": which call, its error, how often it begins. Where it began, it goes
 *                on for a few calls. `write SHORT` writes half of the bytes, `sync SLOW` takes its time.
 *
 * A sync that failed is written down as such: what was to be synced is lost for good, though later syncs succeed.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_FD 4096
#define MAX_FAULTS 8
enum { SHORT = -1, SLOW = -2 };

struct op {
    uint64_t handle, offset;
    uint32_t length;
    char kind[4];
};

struct fault {
    char call[8];
    int error, going_on;
    double chance;
};

static struct {
    char *path;
    uint64_t handle;
    int appends;
} opened[MAX_FD];
static struct fault faults[MAX_FAULTS];
static int fault_count, log_fd = -1;
static unsigned seed;
static uint64_t handles;
static char root[PATH_MAX];
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

#define REAL(result, name, ...)                               \
    static result (*real)(__VA_ARGS__);                       \
    if (!real) real = (result(*)(__VA_ARGS__))dlsym(RTLD_NEXT, #name)

static int error_named(const char *name) {
    if (!strcmp(name, "EIO")) return EIO;
    if (!strcmp(name, "ENOSPC")) return ENOSPC;
    if (!strcmp(name, "EROFS")) return EROFS;
    if (!strcmp(name, "SHORT")) return SHORT;
    if (!strcmp(name, "SLOW")) return SLOW;
    fprintf(stderr, "DISK_FAULTS: no error is called %s\n", name);
    abort();
}

__attribute__((constructor)) static void begin(void) {
    const char *log = getenv("DISK_LOG"), *folder = getenv("DISK_ROOT"), *random = getenv("DISK_SEED");
    char *given = strdup(getenv("DISK_FAULTS") ? getenv("DISK_FAULTS") : ""), *rest = given, *one, name[16];
    if (!log || !folder || !realpath(folder, root)) return;
    seed = random ? (unsigned)atoi(random) : 0;
    while ((one = strsep(&rest, ";")) && fault_count < MAX_FAULTS) {
        struct fault *fault = &faults[fault_count];
        if (sscanf(one, "%7s %15s %lf", fault->call, name, &fault->chance) != 3) continue;
        fault->error = error_named(name);
        fault_count++;
    }
    free(given);
    REAL(int, open, const char *, int, ...);
    log_fd = real(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static void put(const void *data, size_t length) {
    REAL(ssize_t, write, int, const void *, size_t);
    if (real(log_fd, data, length) != (ssize_t)length) abort();
}

static void note(const char *kind, uint64_t handle, uint64_t offset, const void *data, size_t length) {
    struct op op = {handle, offset, (uint32_t)length, {0}};
    memcpy(op.kind, kind, strnlen(kind, 4));
    put(&op, sizeof op);
    if (length) put(data, length);
}

/* The error of this call, or 0. What callers were told is no part of the trial. */
static int failing(const char *call, const char *path) {
    size_t length = strlen(path);
    if (length >= 13 && !strcmp(path + length - 13, "/acknowledged")) return 0;
    for (int i = 0; i < fault_count; i++) {
        struct fault *fault = &faults[i];
        if (strcmp(fault->call, call)) continue;
        if (!fault->going_on && rand_r(&seed) < fault->chance * RAND_MAX) fault->going_on = 1 + rand_r(&seed) % 6;
        if (fault->going_on) {
            fault->going_on--;
            return fault->error;
        }
    }
    return 0;
}

/* The path if it lies below the root, else NULL. SQLite's shared memory and locks are no files that last. */
static char *below(int folder, const char *path, char *whole) {
    if (log_fd < 0) return NULL;
    if (path[0] == '/')
        snprintf(whole, PATH_MAX, "%s", path);
    else if (folder >= 0 && folder < MAX_FD && opened[folder].path)
        snprintf(whole, PATH_MAX, "%s/%s", opened[folder].path, path);
    else
        return NULL;
    size_t length = strlen(root), all = strlen(whole);
    if (strncmp(whole, root, length) || (whole[length] && whole[length] != '/')) return NULL;
    if (all > 4 && !strcmp(whole + all - 4, "-shm")) return NULL;
    return whole;
}

static int ours(int fd) { return fd >= 0 && fd < MAX_FD && opened[fd].path; }

static int open_below(int folder, const char *path, int flags, mode_t mode) {
    REAL(int, openat, int, const char *, int, ...);
    char whole[PATH_MAX];
    if (!below(folder, path, whole)) return real(folder, path, flags, mode);
    pthread_mutex_lock(&one_at_a_time);
    int error = flags & (O_CREAT | O_TRUNC) ? failing("open", whole) : 0, fd = -1;
    if (error)
        errno = error;
    else
        fd = real(folder, path, flags, mode);
    if (fd >= 0 && fd < MAX_FD) {
        free(opened[fd].path);
        opened[fd].path = strdup(whole);
        opened[fd].handle = ((uint64_t)getpid() << 32) | ++handles;
        opened[fd].appends = flags & O_APPEND;
        note(flags & O_TRUNC ? "new" : "open", opened[fd].handle, 0, whole, strlen(whole));
    }
    pthread_mutex_unlock(&one_at_a_time);
    return fd;
}

#define MODE                          \
    va_list rest;                     \
    va_start(rest, flags);            \
    mode_t mode = va_arg(rest, mode_t); \
    va_end(rest)
int open(const char *path, int flags, ...) { MODE; return open_below(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE; return open_below(AT_FDCWD, path, flags | O_LARGEFILE, mode); }
int openat(int folder, const char *path, int flags, ...) { MODE; return open_below(folder, path, flags, mode); }
int openat64(int folder, const char *path, int flags, ...) { MODE; return open_below(folder, path, flags, mode); }

int close(int fd) {
    REAL(int, close, int);
    if (!ours(fd)) return real(fd);
    pthread_mutex_lock(&one_at_a_time);
    free(opened[fd].path);
    opened[fd].path = NULL;
    int result = real(fd);
    pthread_mutex_unlock(&one_at_a_time);
    return result;
}

/* `at` is -1 where the file's own position counts. */
static ssize_t write_below(int fd, const void *data, size_t length, off_t at) {
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    pthread_mutex_lock(&one_at_a_time);
    int error = failing("write", opened[fd].path);
    ssize_t written = -1;
    if (error == SHORT && length > 1) length /= 2;
    if (error > 0) {
        errno = error;
    } else {
        off_t place = at;
        if (at < 0) place = lseek(fd, 0, opened[fd].appends ? SEEK_END : SEEK_CUR);
        if (at < 0 && opened[fd].appends) {
            static ssize_t (*plain)(int, const void *, size_t);
            if (!plain) plain = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
            written = plain(fd, data, length);
        } else {
            written = real(fd, data, length, place);
            if (at < 0 && written > 0) lseek(fd, place + written, SEEK_SET);
        }
        if (written > 0) note("data", opened[fd].handle, (uint64_t)place, data, (size_t)written);
    }
    pthread_mutex_unlock(&one_at_a_time);
    return written;
}

ssize_t write(int fd, const void *data, size_t length) {
    REAL(ssize_t, write, int, const void *, size_t);
    return ours(fd) ? write_below(fd, data, length, -1) : real(fd, data, length);
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) {
    REAL(ssize_t, pwrite, int, const void *, size_t, off_t);
    return ours(fd) ? write_below(fd, data, length, at) : real(fd, data, length, at);
}
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) { return pwrite(fd, data, length, at); }

int ftruncate(int fd, off_t length) {
    REAL(int, ftruncate, int, off_t);
    if (!ours(fd)) return real(fd, length);
    pthread_mutex_lock(&one_at_a_time);
    int error = failing("write", opened[fd].path), result = -1;
    if (error > 0)
        errno = error;
    else if (!(result = real(fd, length)))
        note("size", opened[fd].handle, (uint64_t)length, NULL, 0);
    pthread_mutex_unlock(&one_at_a_time);
    return result;
}
int ftruncate64(int fd, off64_t length) { return ftruncate(fd, length); }

/* Nothing is flushed for real: the log says what would be there. */
static int sync_below(int fd) {
    pthread_mutex_lock(&one_at_a_time);
    int error = failing("sync", opened[fd].path), result = 0;
    if (error > 0) {
        note("lost", opened[fd].handle, 0, NULL, 0);
        errno = error;
        result = -1;
    } else {
        note("sync", opened[fd].handle, 0, NULL, 0);
    }
    pthread_mutex_unlock(&one_at_a_time);
    if (error == SLOW) usleep(20000);
    return result;
}
int fsync(int fd) {
    REAL(int, fsync, int);
    return ours(fd) ? sync_below(fd) : real(fd);
}
int fdatasync(int fd) {
    REAL(int, fdatasync, int);
    return ours(fd) ? sync_below(fd) : real(fd);
}

static int change_name(const char *kind, int folder, const char *path, const char *other, int (*act)(int, const char *, const char *)) {
    char whole[2 * PATH_MAX + 1], second[PATH_MAX];
    if (!below(folder, path, whole)) return act(folder, path, other);
    pthread_mutex_lock(&one_at_a_time);
    int error = failing("name", whole), result = -1;
    size_t length = strlen(whole);
    if (error > 0) {
        errno = error;
    } else if (!(result = act(folder, path, other))) {
        if (other && below(folder, other, second)) {
            strcpy(whole + length + 1, second);
            length += 1 + strlen(second);
        }
        note(kind, 0, 0, whole, length);
    }
    pthread_mutex_unlock(&one_at_a_time);
    return result;
}

static int do_rename(int folder, const char *path, const char *other) {
    REAL(int, renameat, int, const char *, int, const char *);
    return real(folder, path, folder, other);
}
static int do_unlink(int folder, const char *path, const char *other) {
    REAL(int, unlinkat, int, const char *, int);
    return real(folder, path, other ? AT_REMOVEDIR : 0);
}
static mode_t made_with;
static int do_mkdir(int folder, const char *path, const char *other) {
    REAL(int, mkdirat, int, const char *, mode_t);
    (void)other;
    return real(folder, path, made_with);
}
int rename(const char *path, const char *other) { return change_name("move", AT_FDCWD, path, other, do_rename); }
int unlink(const char *path) { return change_name("gone", AT_FDCWD, path, NULL, do_unlink); }
int unlinkat(int folder, const char *path, int flags) {
    return change_name("gone", folder, path, flags & AT_REMOVEDIR ? "" : NULL, do_unlink);
}
int rmdir(const char *path) { return change_name("gone", AT_FDCWD, path, "", do_unlink); }
int mkdir(const char *path, mode_t mode) {
    made_with = mode;
    return change_name("made", AT_FDCWD, path, NULL, do_mkdir);
}
