/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * What came with libfuse 3.15 to 3.19, in a low-level file system with two files and its own client.
 * What it prints is the same on every library that has it.
 *
 *   newest TEST MOUNTPOINT BACKING      BACKING: a file of 16 MiB
 */
#define _GNU_SOURCE
#define FUSE_USE_VERSION FUSE_MAKE_VERSION(3, 19)
#include <fuse_daemonize.h>
#include <fuse_lowlevel.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB (1024 * 1024)

/* Of Linux 5.12, which the C library's headers may not have. */
#ifndef MOUNT_ATTR_IDMAP
#define MOUNT_ATTR_IDMAP 0x00100000
struct mount_attr {
    uint64_t attr_set, attr_clr, propagation, userns_fd;
};
#endif
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif

static const char *test, *backing;
static int reads, lookups, forgets, tmpfiles, timeouts, closed;
static struct fuse_session *session;

static int is(const char *name)
{
    return strcmp(test, name) == 0;
}

static void init(void *userdata, struct fuse_conn_info *conn)
{
    (void)userdata;
    if (is("passthrough")) {
        printf("passthrough offered: %d\n", fuse_get_feature_flag(conn, FUSE_CAP_PASSTHROUGH));
        fuse_set_feature_flag(conn, FUSE_CAP_PASSTHROUGH);
    }
    if (is("idmap")) {
        printf("idmap offered: %d\n", fuse_set_feature_flag(conn, FUSE_CAP_ALLOW_IDMAP));
    }
    if (is("contexts")) {
        printf("contexts offered: %d\n", fuse_set_feature_flag(conn, FUSE_CAP_SECURITY_CTX));
    }
    if (is("flags")) {
        printf("capable %d %d, want %d %d\n", conn->capable == (uint32_t)conn->capable_ext,
               conn->capable_ext >> 32 != 0, conn->want == (uint32_t)conn->want_ext,
               conn->want_ext >> 32 != 0);
        printf("set %d %d\n", fuse_set_feature_flag(conn, FUSE_CAP_SECURITY_CTX),
               fuse_set_feature_flag(conn, 1ull << 62));
        printf("both %d\n", (conn->want_ext & FUSE_CAP_SECURITY_CTX) != 0);
        fuse_unset_feature_flag(conn, FUSE_CAP_ASYNC_READ);
        printf("unset %d %d\n", (conn->want_ext & FUSE_CAP_ASYNC_READ) != 0,
               (conn->want & FUSE_CAP_ASYNC_READ) != 0);
        printf("conn flags %d %d\n", fuse_set_conn_flag(conn, FUSE_CONN_FLAG_NO_INTERRUPT),
               fuse_set_conn_flag(conn, 1 << 20));
        conn->want |= FUSE_CAP_WRITEBACK_CACHE;
        conn->request_timeout = 120;
        printf("convert %d", fuse_convert_to_conn_want_ext(conn));
        printf(" %d\n", (conn->want_ext & FUSE_CAP_WRITEBACK_CACHE) != 0);
    }
}

static void fill(struct stat *st, fuse_ino_t ino)
{
    memset(st, 0, sizeof(*st));
    st->st_ino = ino;
    st->st_mode = ino == 1 ? S_IFDIR | 0755 : S_IFREG | 0644;
    st->st_nlink = 1;
    st->st_size = 16 * MIB;
}

static void lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fuse_entry_param e;

    (void)parent;
    __atomic_fetch_add(&lookups, 1, __ATOMIC_SEQ_CST);
    memset(&e, 0, sizeof(e));
    if (strcmp(name, "f") != 0) {
        fuse_reply_err(req, ENOENT);
        return;
    }
    e.ino = 2;
    e.attr_timeout = e.entry_timeout = 1000;
    fill(&e.attr, 2);
    fuse_reply_entry(req, &e);
}

static void forget(fuse_req_t req, fuse_ino_t ino, uint64_t nlookup)
{
    (void)nlookup;
    if (ino == 2)
        __atomic_fetch_add(&forgets, 1, __ATOMIC_SEQ_CST);
    fuse_reply_none(req);
}

static void getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct stat st;

    (void)fi;
    fill(&st, ino);
    fuse_reply_attr(req, &st, 1000);
}

static void open_file(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    if (is("passthrough")) {
        int fd = open(backing, O_RDONLY);

        fi->backing_id = fuse_passthrough_open(req, fd);
        close(fd);
        fi->fh = fi->backing_id;
    }
    fuse_reply_open(req, fi);
}

static void release(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    if (is("passthrough"))
        __atomic_fetch_add(&closed, fuse_passthrough_close(req, (int)fi->fh) == 0, __ATOMIC_SEQ_CST);
    fuse_reply_err(req, 0);
}

/* Puts the answer where it is to go, if it came by io_uring. */
static void read_ring(fuse_req_t req, size_t size, off_t off)
{
    static int said;
    char *place = NULL;
    size_t room = 0, n;
    void *region = &said;
    int status = fuse_req_get_payload(req, &place, &room, &region);

    if (!__atomic_exchange_n(&said, 1, __ATOMIC_SEQ_CST))
        printf("by ring: %d, payload: %d, room: %d, region: %d\n", fuse_req_is_uring(req), status,
               room >= size, region != NULL);
    if (status != 0 || room < size) {
        fuse_reply_err(req, EIO);
        return;
    }
    for (n = 0; n < size; n++)
        place[n] = (char)((off + n) * 7 >> 3);
    fuse_reply_buf(req, place, size);
}

static void read_file(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                      struct fuse_file_info *fi)
{
    (void)ino, (void)fi;
    __atomic_fetch_add(&reads, 1, __ATOMIC_SEQ_CST);
    if (is("ring"))
        read_ring(req, size, off);
    else
        fuse_reply_err(req, EIO);
}

/* How many security contexts come one by one. */
static unsigned contexts(fuse_req_t req)
{
    const char *name, *value;
    unsigned n = 0;
    uint32_t length;

    while (fuse_req_secctx_next(req, &name, &value, &length) == 0) {
        fprintf(stderr, "context %s: %.*s\n", name, (int)length, value);
        n++;
    }
    return n;
}

static void mkdir_(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
    struct fuse_entry_param e;

    (void)parent, (void)mode;
    if (is("contexts")) {
        unsigned count = fuse_req_secctx_count(req), first = contexts(req);

        fuse_req_secctx_reset(req);
        printf("contexts of %s: all %d, again %d\n", name, count == first, count == contexts(req));
    }
    if (is("idmap"))
        printf("made by %d:%d\n", (int)fuse_req_ctx(req)->uid, (int)fuse_req_ctx(req)->gid);
    memset(&e, 0, sizeof(e));
    e.ino = 4;
    fill(&e.attr, 1);
    fuse_reply_entry(req, &e);
}

static void tmpfile_(fuse_req_t req, fuse_ino_t parent, mode_t mode, struct fuse_file_info *fi)
{
    struct fuse_entry_param e;

    (void)parent, (void)mode;
    __atomic_fetch_add(&tmpfiles, 1, __ATOMIC_SEQ_CST);
    memset(&e, 0, sizeof(e));
    e.ino = 3;
    fill(&e.attr, 3);
    fuse_reply_create(req, &e, fi);
}

static void statx_file(fuse_req_t req, fuse_ino_t ino, int flags, int mask,
                       struct fuse_file_info *fi)
{
    struct statx stx;

    (void)flags, (void)fi;
    memset(&stx, 0, sizeof(stx));
    stx.stx_mask = mask | STATX_BTIME;
    stx.stx_ino = ino;
    stx.stx_mode = ino == 1 ? S_IFDIR | 0755 : S_IFREG | 0644;
    stx.stx_nlink = 1;
    stx.stx_size = 16 * MIB;
    stx.stx_btime.tv_sec = 1234567890;
    stx.stx_btime.tv_nsec = 987654321;
    fuse_reply_statx(req, 0, &stx, 0);
}

static const struct fuse_lowlevel_ops ops = {
    .init = init,
    .lookup = lookup,
    .forget = forget,
    .getattr = getattr,
    .open = open_file,
    .release = release,
    .mkdir = mkdir_,
    .read = read_file,
    .tmpfile = tmpfile_,
    .statx = statx_file,
};

static void *serve(void *result)
{
    *(int *)result = fuse_session_loop_mt(session, NULL);
    return NULL;
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

/* Waits for what the kernel does by itself. */
static int becomes(int *count, int wanted)
{
    double end = now() + 20;

    while (__atomic_load_n(count, __ATOMIC_SEQ_CST) < wanted && now() < end)
        usleep(2000);
    return __atomic_load_n(count, __ATOMIC_SEQ_CST) >= wanted;
}

/* Seconds for reading a file a few times in pieces of 1 MiB, and a sum of what was read. */
static double read_all(int fd, unsigned long *sum)
{
    static char data[MIB];
    double start = now();
    int round, at;

    for (round = 0; round < 8; round++) {
        for (at = 0; at < 16; at++) {
            if (pread(fd, data, MIB, (off_t)at * MIB) != MIB)
                printf("short read\n");
            *sum = *sum * 31 + (unsigned char)data[at * 4099];
        }
    }
    return now() - start;
}

static void passthrough(const char *path)
{
    unsigned long direct = 0, through = 0;
    double native = 1e9, passed = 1e9;
    int fd = open(backing, O_RDONLY), file = open(path, O_RDONLY), try;

    for (try = 0; try < 6; try++) {
        double a = read_all(fd, &direct), b = read_all(file, &through);

        native = a < native ? a : native;
        passed = b < passed ? b : passed;
    }
    printf("same data: %d\n", direct == through);
    printf("reads at the daemon: %d\n", reads);
    /* How fast is for who looks, not for a machine that does other things. */
    fprintf(stderr, "passthrough %.2fx of native\n", native / passed);
    close(fd);
    close(file);
    printf("closed: %d\n", becomes(&closed, 1));
}

static void times_up(void *data)
{
    __atomic_fetch_add((int *)data, 1, __ATOMIC_SEQ_CST);
}

static void watchdog(const char *mountpoint)
{
    char path[100];
    struct stat st;
    void *dog = fuse_session_start_teardown_watchdog(session, 1, times_up, &timeouts);
    int fd;

    printf("second: %d\n", fuse_session_start_teardown_watchdog(session, 1, NULL, NULL) != NULL);
    stat(mountpoint, &st);
    snprintf(path, sizeof(path), "/sys/fs/fuse/connections/%u/abort",
             major(st.st_dev) << 20 | minor(st.st_dev));
    fd = open(path, O_WRONLY);
    printf("abort: %d\n", write(fd, "1", 1) == 1);
    close(fd);
    printf("callback: %d\n", becomes(&timeouts, 1));
    fuse_session_stop_teardown_watchdog(dog);
}

/* A user namespace in which 0 is what 1000 is outside. */
static int user_namespace(void)
{
    char path[64], byte;
    int ready[2], fd, n;
    pid_t child;

    if (pipe(ready) != 0)
        return -1;
    child = fork();
    if (child == 0) {
        close(ready[0]);
        if (unshare(CLONE_NEWUSER) == 0 && write(ready[1], "", 1) == 1)
            pause();
        _exit(1);
    }
    close(ready[1]);
    n = (int)read(ready[0], &byte, 1);
    close(ready[0]);
    for (fd = 0; n == 1 && fd < 2; fd++) {
        int map;

        snprintf(path, sizeof(path), "/proc/%d/%s", (int)child, fd == 0 ? "uid_map" : "gid_map");
        map = open(path, O_WRONLY);
        if (write(map, "0 1000 1", 8) != 8)
            n = 0;
        close(map);
    }
    snprintf(path, sizeof(path), "/proc/%d/ns/user", (int)child);
    fd = n == 1 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return fd;
}

/* The file system with other owners: what belongs to 0 is 1000's there, and what 1000 makes is 0's. */
static void idmap(const char *mountpoint)
{
    int namespace = user_namespace();
    int tree = (int)syscall(SYS_open_tree, AT_FDCWD, mountpoint, OPEN_TREE_CLONE | O_CLOEXEC);
    struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = namespace };
    struct stat st;
    pid_t child;

    printf("mapped: %ld\n", syscall(SYS_mount_setattr, tree, "", AT_EMPTY_PATH, &attr, sizeof(attr)));
    printf("f: %d", fstatat(tree, "f", &st, 0));
    printf(", owner %d:%d\n", (int)st.st_uid, (int)st.st_gid);
    child = fork();
    if (child == 0) {
        if (setresgid(1000, 1000, 1000) != 0 || setresuid(1000, 1000, 1000) != 0)
            _exit(1);
        _exit(mkdirat(tree, "d", 0755) == 0 ? 0 : 2);
    }
    waitpid(child, &namespace, 0);
    printf("mkdir: %d\n", WEXITSTATUS(namespace));
    close(tree);
}

/* What comes through the ring, in requests of many sizes. */
static void ring(const char *path)
{
    static char data[MIB];
    int fd = open(path, O_RDONLY | O_DIRECT), wrong = 0;
    size_t size, n;

    for (size = 4096; size <= MIB; size *= 4) {
        if (pread(fd, data, size, (off_t)size) != (ssize_t)size)
            wrong++;
        for (n = 0; n < size; n++)
            wrong += data[n] != (char)((size + n) * 7 >> 3);
    }
    printf("wrong: %d\n", wrong);
    close(fd);
}

static void client(const char *mountpoint)
{
    char path[4096];
    struct stat st;
    struct statx stx;
    int fd, status;

    snprintf(path, sizeof(path), "%s/f", mountpoint);
    stat(path, &st);
    if (is("passthrough")) {
        passthrough(path);
    } else if (is("statx")) {
        status = statx(AT_FDCWD, path, 0, STATX_BASIC_STATS | STATX_BTIME, &stx);
        printf("statx: %d %d %lld.%u\n", status, (stx.stx_mask & STATX_BTIME) != 0,
               (long long)stx.stx_btime.tv_sec, stx.stx_btime.tv_nsec);
    } else if (is("epoch")) {
        int before = lookups;

        stat(path, &st);
        printf("cached: %d\n", lookups == before);
        printf("epoch: %d\n", fuse_lowlevel_notify_increment_epoch(session));
        stat(path, &st);
        printf("looked up: %d\n", lookups == before + 1);
    } else if (is("prune")) {
        fuse_ino_t node = 2;

        printf("prune: %d\n", fuse_lowlevel_notify_prune(session, &node, 1));
        printf("forgotten: %d\n", becomes(&forgets, 1));
    } else if (is("tmpfile")) {
        fd = open(mountpoint, O_TMPFILE | O_RDWR, 0600);
        printf("tmpfile: %d %d\n", fd >= 0, tmpfiles);
        close(fd);
    } else if (is("watchdog")) {
        watchdog(mountpoint);
    } else if (is("contexts")) {
        snprintf(path, sizeof(path), "%s/d", mountpoint);
        printf("mkdir: %d\n", mkdir(path, 0755));
    } else if (is("idmap")) {
        idmap(mountpoint);
    } else if (is("ring")) {
        ring(path);
    }
}

/* The parent's exit status says whether the mount can be used. */
static int early(const char *mountpoint, int fails)
{
    struct stat before, after;
    int status;
    pid_t child;

    stat(mountpoint, &before);
    child = fork();
    if (child == 0) {
        struct fuse_args args = FUSE_ARGS_INIT(0, NULL);

        if (fuse_daemonize_early_start(0) != 0)
            _exit(9);
        fuse_opt_add_arg(&args, "newest");
        session = fuse_session_new(&args, &ops, sizeof(ops), NULL);
        if (fails || fuse_session_mount(session, mountpoint) != 0) {
            fuse_daemonize_early_fail(7);
            _exit(0);
        }
        fuse_daemonize_early_success();
        fuse_session_loop(session);
        fuse_session_unmount(session);
        fuse_session_destroy(session);
        _exit(0);
    }
    waitpid(child, &status, 0);
    printf("%s: exit %d", fails ? "fails" : "starts", WEXITSTATUS(status));
    stat(mountpoint, &after);
    printf(", mounted %d\n", before.st_dev != after.st_dev);
    return fails ? 0 : umount2(mountpoint, MNT_DETACH);
}

static int crash(void)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
        int silent = open("/dev/null", O_WRONLY);

        fuse_opt_add_arg(&args, "newest");
        session = fuse_session_new(&args, &ops, sizeof(ops), NULL);
        printf("handlers: %d\n", fuse_set_fail_signal_handlers(session));
        fflush(stdout);
        dup2(silent, 2);
        raise(SIGSEGV);
        _exit(0);
    }
    waitpid(child, &status, 0);
    printf("ended by SIGABRT: %d\n", WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    return 0;
}

int main(int argc, char **argv)
{
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    int result = -1;
    pthread_t thread;

    if (argc != 4)
        return 2;
    test = argv[1];
    backing = argv[3];
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (is("early"))
        return early(argv[2], 1) | early(argv[2], 0);
    if (is("crash"))
        return crash();
    fuse_opt_add_arg(&args, "newest");
    if (is("idmap"))
        fuse_opt_add_arg(&args, "-oallow_other,default_permissions");
    if (is("ring"))
        fuse_opt_add_arg(&args, "-oio_uring");
    session = fuse_session_new(&args, &ops, sizeof(ops), NULL);
    if (session == NULL)
        return 3;
    if (is("sync_init"))
        fuse_session_set_sync_init(session, true);
    if (fuse_session_mount(session, argv[2]) != 0)
        return 4;
    if (pthread_create(&thread, NULL, serve, &result) != 0)
        return 5;
    client(argv[2]);
    umount2(argv[2], MNT_DETACH);
    pthread_join(thread, NULL);
    printf("exited: %d\n", fuse_session_exited(session) != 0);
    fuse_session_unmount(session);
    fuse_session_destroy(session);
    fuse_opt_free_args(&args);
    printf("loop: %d\n", result);
    return 0;
}
