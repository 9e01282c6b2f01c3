/* SPDX-License-Identifier: MIT OR Apache-2.0
 *
 * One file system, by paths or by nodes, for every FUSE_USE_VERSION from 30 to 319. It is served by the
 * entry points that this version has, and asked by its own main thread. What it prints does not depend
 * on version, headers or library.
 *
 *   age hl|ll|bg MOUNTPOINT      bg: by paths, from the background and served by fuse_main()
 */
#define _GNU_SOURCE
#include <fuse.h>
#include <fuse_lowlevel.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define HANDLE 0x1122334455667788ull
#define COMMAND _IOR('f', 1, int)

static char left[] = "left half, ";
static char right[] = "right half\n";
static int flushes, handles_wrong;
static int in_background;

/* The data in two segments, so that the distance between them matters. From malloc, for read_buf. */
static struct fuse_bufvec *halves(size_t size, off_t off)
{
    struct fuse_bufvec *vector = malloc(sizeof(*vector) + sizeof(struct fuse_buf));
    char *parts[2] = {left, right};
    int n;

    *vector = FUSE_BUFVEC_INIT(0);
    vector->count = 2;
    for (n = 0; n < 2; n++) {
        size_t length = strlen(parts[n]);
        size_t skip = (size_t)off < length ? (size_t)off : length;
        size_t take = length - skip < size ? length - skip : size;

        memset(&vector->buf[n], 0, sizeof(vector->buf[n]));
        vector->buf[n].fd = -1;
        vector->buf[n].size = take;
        vector->buf[n].mem = malloc(take + 1);
        memcpy(vector->buf[n].mem, parts[n] + skip, take);
        off -= skip;
        size -= take;
    }
    return vector;
}

static void fill(struct stat *st, int is_root)
{
    memset(st, 0, sizeof(*st));
    st->st_ino = is_root ? 1 : 2;
    st->st_mode = is_root ? S_IFDIR | 0755 : S_IFREG | 0644;
    st->st_nlink = is_root ? 2 : 1;
    st->st_size = is_root ? 0 : (off_t)(strlen(left) + strlen(right));
}

static void opened(struct fuse_file_info *fi)
{
    fi->fh = HANDLE;
    fi->direct_io = 1;
    fi->nonseekable = 0;
}

static void check(const struct fuse_file_info *fi)
{
    handles_wrong += fi->fh != HANDLE;
}

/* By paths. */

static void *hl_init(struct fuse_conn_info *conn, struct fuse_config *cfg)
{
    if (!in_background)
        printf("init: %s max_write %u debug %d\n",
               conn->capable & FUSE_CAP_ASYNC_READ ? "async" : "no", conn->max_write, cfg->debug);
    /* Fields in front of, and behind, those that moved. */
    cfg->use_ino = 1;
    cfg->entry_timeout = 7;
    cfg->negative_timeout = 9;
    cfg->nullpath_ok = 1;
    conn->want &= ~FUSE_CAP_ASYNC_DIO;
    return NULL;
}

static int hl_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
    (void)fi;
    if (path != NULL && strcmp(path, "/") != 0 && strcmp(path, "/f") != 0)
        return -ENOENT;
    fill(st, path != NULL && path[1] == '\0');
    return 0;
}

static int hl_readdir(const char *path, void *buf, fuse_fill_dir_t filler, off_t off,
                      struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
    (void)path, (void)off, (void)fi, (void)flags;
    filler(buf, "f", NULL, 0, (enum fuse_fill_dir_flags)0);
    return 0;
}

static int hl_open(const char *path, struct fuse_file_info *fi)
{
    (void)path;
    opened(fi);
    return 0;
}

static int hl_read_buf(const char *path, struct fuse_bufvec **bufp, size_t size, off_t off,
                       struct fuse_file_info *fi)
{
    (void)path;
    check(fi);
    *bufp = halves(size, off);
    return 0;
}

static int hl_write_buf(const char *path, struct fuse_bufvec *buf, off_t off,
                        struct fuse_file_info *fi)
{
    struct fuse_bufvec target = FUSE_BUFVEC_INIT(fuse_buf_size(buf));

    (void)path;
    check(fi);
    if (off != 0 || fuse_buf_size(buf) > strlen(left))
        return -EFBIG;
    target.buf[0].mem = left;
    return fuse_buf_copy(&target, buf, (enum fuse_buf_copy_flags)0);
}

static int hl_flush(const char *path, struct fuse_file_info *fi)
{
    (void)path;
    check(fi);
    __atomic_fetch_add(&flushes, (int)fi->flush, __ATOMIC_SEQ_CST);
    return 0;
}

#if FUSE_USE_VERSION < 35
static int hl_ioctl(const char *path, int cmd, void *arg, struct fuse_file_info *fi,
                    unsigned int flags, void *data)
#else
static int hl_ioctl(const char *path, unsigned int cmd, void *arg, struct fuse_file_info *fi,
                    unsigned int flags, void *data)
#endif
{
    (void)path, (void)arg, (void)flags;
    check(fi);
    if ((unsigned int)cmd != COMMAND)
        return -ENOTTY;
    *(int *)data = 42;
    return 0;
}

static const struct fuse_operations hl_ops = {
    .init = hl_init,
    .getattr = hl_getattr,
    .readdir = hl_readdir,
    .open = hl_open,
    .read_buf = hl_read_buf,
    .write_buf = hl_write_buf,
    .flush = hl_flush,
    .ioctl = hl_ioctl,
};

/* By nodes. */

static void ll_init(void *userdata, struct fuse_conn_info *conn)
{
    (void)userdata;
    printf("init: %s max_write %u debug %d\n", conn->capable & FUSE_CAP_ASYNC_READ ? "async" : "no",
           conn->max_write, 0);
    conn->want &= ~FUSE_CAP_ASYNC_DIO;
}

static void ll_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fuse_entry_param e;

    memset(&e, 0, sizeof(e));
    if (parent != 1 || strcmp(name, "f") != 0) {
        fuse_reply_err(req, ENOENT);
        return;
    }
    e.ino = 2;
    fill(&e.attr, 0);
    fuse_reply_entry(req, &e);
}

static void ll_getattr(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    struct stat st;

    (void)fi;
    fill(&st, ino == 1);
    fuse_reply_attr(req, &st, 1.0);
}

static void ll_readdir(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                       struct fuse_file_info *fi)
{
    char buf[256];
    struct stat st;
    size_t used = 0;

    (void)ino, (void)size, (void)fi;
    fill(&st, 0);
    if (off == 0)
        used = fuse_add_direntry(req, buf, sizeof(buf), "f", &st, 1);
    fuse_reply_buf(req, buf, used);
}

static void ll_open(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    opened(fi);
    fuse_reply_open(req, fi);
}

static void ll_read(fuse_req_t req, fuse_ino_t ino, size_t size, off_t off,
                    struct fuse_file_info *fi)
{
    struct fuse_bufvec *vector = halves(size, off);

    (void)ino;
    check(fi);
    fuse_reply_data(req, vector, (enum fuse_buf_copy_flags)0);
    free(vector->buf[0].mem);
    free(vector->buf[1].mem);
    free(vector);
}

static void ll_write_buf(fuse_req_t req, fuse_ino_t ino, struct fuse_bufvec *buf, off_t off,
                         struct fuse_file_info *fi)
{
    int written;

    (void)ino;
    written = hl_write_buf(NULL, buf, off, fi);
    if (written < 0)
        fuse_reply_err(req, -written);
    else
        fuse_reply_write(req, written);
}

static void ll_flush(fuse_req_t req, fuse_ino_t ino, struct fuse_file_info *fi)
{
    (void)ino;
    fuse_reply_err(req, -hl_flush(NULL, fi));
}

#if FUSE_USE_VERSION < 35
static void ll_ioctl(fuse_req_t req, fuse_ino_t ino, int cmd, void *arg, struct fuse_file_info *fi,
                     unsigned flags, const void *in_buf, size_t in_bufsz, size_t out_bufsz)
#else
static void ll_ioctl(fuse_req_t req, fuse_ino_t ino, unsigned int cmd, void *arg,
                     struct fuse_file_info *fi, unsigned flags, const void *in_buf, size_t in_bufsz,
                     size_t out_bufsz)
#endif
{
    int answer, status;

    (void)ino, (void)in_buf, (void)in_bufsz, (void)out_bufsz;
    status = hl_ioctl(NULL, cmd, arg, fi, flags, &answer);
    if (status != 0)
        fuse_reply_err(req, -status);
    else
        fuse_reply_ioctl(req, 0, &answer, sizeof(answer));
}

static const struct fuse_lowlevel_ops ll_ops = {
    .init = ll_init,
    .lookup = ll_lookup,
    .getattr = ll_getattr,
    .readdir = ll_readdir,
    .open = ll_open,
    .read = ll_read,
    .write_buf = ll_write_buf,
    .flush = ll_flush,
    .ioctl = ll_ioctl,
};

/* Serving. */

static struct fuse *fuse;
static struct fuse_session *session;

#if FUSE_USE_VERSION < 32
#define SERVE(loop, what) loop(what, 0)
#elif FUSE_USE_VERSION < FUSE_MAKE_VERSION(3, 12)
static struct fuse_loop_config config = {0, 5};
#define SERVE(loop, what) loop(what, &config)
#else
#define SERVE(loop, what) loop(what, config)
#endif

static void *serve(void *result)
{
#if FUSE_USE_VERSION >= FUSE_MAKE_VERSION(3, 12)
    struct fuse_loop_config *config = fuse_loop_cfg_create();

    fuse_loop_cfg_set_max_threads(config, 3);
#endif
    *(int *)result = fuse != NULL ? SERVE(fuse_loop_mt, fuse) : SERVE(fuse_session_loop_mt, session);
#if FUSE_USE_VERSION >= FUSE_MAKE_VERSION(3, 12)
    fuse_loop_cfg_destroy(config);
#endif
    return NULL;
}

static void ask(const char *mountpoint)
{
    char path[4096], data[100];
    struct stat st;
    int fd, status, answer = 0;
    ssize_t n;

    snprintf(path, sizeof(path), "%s/none", mountpoint);
    status = stat(path, &st);
    printf("none: %d %d\n", status, errno);
    snprintf(path, sizeof(path), "%s/f", mountpoint);
    status = stat(path, &st);
    printf("f: %d ino %d size %d\n", status, (int)st.st_ino, (int)st.st_size);
    fd = open(path, O_RDWR);
    n = pread(fd, data, sizeof(data), 0);
    printf("all: %.*s", (int)n, data);
    n = pread(fd, data, 8, 7);
    printf("middle: %.*s\n", (int)n, data);
    printf("write: %d\n", (int)pwrite(fd, "LEFT", 4, 0));
    n = pread(fd, data, sizeof(data), 0);
    printf("again: %.*s", (int)n, data);
    status = ioctl(fd, COMMAND, &answer);
    printf("ioctl: %d %d\n", status, answer);
    close(fd);
}

/* The exit status of fuse_main(), and a descriptor that ends with the process in the background. */
static int start(const char *mountpoint, const char *option, int *end)
{
    char program[] = "age", arg[100], where[4096];
    char *argv[] = {program, where, arg, NULL};
    int ends[2], status = -1;
    pid_t child;

    snprintf(where, sizeof(where), "%s", mountpoint);
    snprintf(arg, sizeof(arg), "-o%s", option);
    if (pipe(ends) != 0)
        return -1;
    child = fork();
    if (child == 0) {
        close(ends[0]);
        /* Of the help for a wrong option there are many words. */
        if (freopen("/dev/null", "w", stderr) == NULL)
            _exit(99);
        _exit(fuse_main(3, argv, &hl_ops, NULL));
    }
    close(ends[1]);
    waitpid(child, &status, 0);
    *end = ends[0];
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Once the parent has ended, the mount is there, or there is nobody. */
static int background(const char *mountpoint)
{
    char byte;
    int end, status;

    /* Some releases are still heard there. */
    in_background = 1;
    status = start(mountpoint, "nonsense", &end);
    printf("refused: %d", status != 0);
    printf(", over: %d\n", read(end, &byte, 1) == 0);
    close(end);
    printf("started: %d\n", start(mountpoint, "fsname=age", &end));
    ask(mountpoint);
    printf("unmounted: %d", umount2(mountpoint, MNT_DETACH));
    printf(", over: %d\n", read(end, &byte, 1) == 0);
    close(end);
    return 0;
}

int main(int argc, char **argv)
{
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    int by_paths = argc == 3 && strcmp(argv[1], "hl") == 0;
    int result = -1;
    pthread_t thread;

    if (argc != 3)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (strcmp(argv[1], "bg") == 0)
        return background(argv[2]);
    fuse_opt_add_arg(&args, "age");
    if (by_paths) {
        fuse = fuse_new(&args, &hl_ops, sizeof(hl_ops), NULL);
        if (fuse == NULL || fuse_mount(fuse, argv[2]) != 0)
            return 3;
        session = fuse_get_session(fuse);
    } else {
        session = fuse_session_new(&args, &ll_ops, sizeof(ll_ops), NULL);
        if (session == NULL || fuse_session_mount(session, argv[2]) != 0)
            return 3;
    }
    if (pthread_create(&thread, NULL, serve, &result) != 0)
        return 4;
    ask(argv[2]);
    /* What ends a loop of every library. */
    if (umount2(argv[2], MNT_DETACH) != 0)
        return 5;
    pthread_join(thread, NULL);
    if (by_paths)
        fuse_unmount(fuse);
    else
        fuse_session_unmount(session);
    if (by_paths)
        fuse_destroy(fuse);
    else
        fuse_session_destroy(session);
    fuse_opt_free_args(&args);
    printf("flushes %d, wrong handles %d, loop %d\n", flushes, handles_wrong, result);
    return 0;
}
