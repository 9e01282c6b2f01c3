/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Options, buffers and mounting; what `bad_args2.h` says. */
#include "bad_args2.h"

#include <fuse.h>
#include <fuse_opt.h>
#include <stdlib.h>

static int failures;

void expect(long long want, long long got, const char *call)
{
    if (want == got)
        return;
    failures++;
    printf("FAIL %s = %lld, not %lld\n", call, got, want);
}

static void bad_options(void)
{
    struct fuse_args none = FUSE_ARGS_INIT(0, NULL), args = FUSE_ARGS_INIT(0, NULL);
    struct fuse_args negative = FUSE_ARGS_INIT(-1, NULL);
    static const struct fuse_opt end[] = { FUSE_OPT_END };
    char *opts = NULL;

    IS(0, fuse_opt_parse(NULL, NULL, NULL, NULL));
    IS(0, fuse_opt_parse(&none, NULL, NULL, NULL));
    IS(0, fuse_opt_parse(&negative, NULL, end, NULL));
    IS(-1, fuse_opt_add_opt(NULL, "a"));
    IS(-1, fuse_opt_add_opt(&opts, NULL));
    IS(-1, fuse_opt_add_opt_escaped(NULL, "a"));
    IS(-1, fuse_opt_add_opt_escaped(&opts, NULL));
    IS(-1, fuse_opt_add_arg(NULL, "a"));
    IS(-1, fuse_opt_add_arg(&args, NULL));
    IS(-1, fuse_opt_insert_arg(NULL, 0, "a"));
    IS(-1, fuse_opt_insert_arg(&args, 0, NULL));
    IS(-1, fuse_opt_insert_arg(&args, -1, "a"));
    IS(-1, fuse_opt_insert_arg(&args, INT_MAX, "a"));
    IS(0, fuse_opt_match(NULL, "a"));
    IS(0, fuse_opt_match(end, NULL));
    RETURNS(fuse_opt_free_args(NULL));
    RETURNS(fuse_opt_free_args(&args));
    IS(-1, fuse_parse_cmdline(NULL, NULL, NULL, NULL));
    free(opts);
}

static void bad_buffers(void)
{
    char memory[16] = "";
    struct fuse_bufvec file = FUSE_BUFVEC_INIT(sizeof(memory));
    struct fuse_bufvec here = FUSE_BUFVEC_INIT(sizeof(memory));
    struct fuse_bufvec empty = { .count = 0 };

    here.buf[0].mem = memory;
    file.buf[0].flags = FUSE_BUF_IS_FD;
    file.buf[0].fd = -1;
    IS(0, fuse_buf_size(NULL));
    IS(0, fuse_buf_size(&empty));
    IS(-EINVAL, fuse_buf_copy(NULL, NULL, 0));
    IS(-EINVAL, fuse_buf_copy(&here, NULL, 0));
    IS(0, fuse_buf_copy(&here, &empty, 0));
    IS(-EBADF, fuse_buf_copy(&here, &file, 0));
    here.idx = 0, here.off = 0;
    IS(-EBADF, fuse_buf_copy(&file, &here, 0));
}

/* What programs of older interfaces call. */
int fuse_mount_compat1(const char *mountpoint, const char *args[]);
int fuse_mount_compat22(const char *mountpoint, const char *opts);
int fuse_mount_compat25(const char *mountpoint, struct fuse_args *args);
void fuse_unmount_compat22(const char *mountpoint);

static void bad_mounts(void)
{
    static const char *no_options[] = { NULL };

    IS_NULL(fuse_mount(NULL, NULL));
    IS_NULL(fuse_mount("/nowhere/at/all", NULL));
    IS(-1, fuse_mount_compat1(NULL, NULL));
    IS(-1, fuse_mount_compat1("/nowhere/at/all", no_options));
    IS(-1, fuse_mount_compat22(NULL, NULL));
    IS(-1, fuse_mount_compat22("/nowhere/at/all", NULL));
    IS(-1, fuse_mount_compat25(NULL, NULL));
    IS(-1, fuse_mount_compat25("/nowhere/at/all", NULL));
    RETURNS(fuse_unmount(NULL, NULL));
    RETURNS(fuse_unmount("/nowhere/at/all", NULL));
    RETURNS(fuse_unmount_compat22(NULL));
    RETURNS(fuse_unmount_compat22("/nowhere/at/all"));
}

int main(void)
{
    bad_options();
    bad_buffers();
    bad_mounts();
    bad_sessions();
    bad_paths();
    printf("failures: %d\n", failures);
    return failures != 0;
}
