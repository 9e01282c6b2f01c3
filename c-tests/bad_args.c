/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Options, buffers, loop configurations and messages; what `bad_args.h` says. */
#include "bad_args.h"

#include <fcntl.h>
#include <fuse_opt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int calls;

void expect(long long want, long long got, const char *call)
{
	char what[300];

	calls++;
	snprintf(what, sizeof(what), "%s = %lld, not %lld", call, got, want);
	check(want == got, what);
}

void returned(void)
{
	calls++;
}

/* What programs of API level 3.0 to 3.11 call. */
int fuse_parse_cmdline_30(struct fuse_args *args, struct fuse_cmdline_opts *opts);

static void bad_options(void)
{
	struct fuse_args none = FUSE_ARGS_INIT(0, NULL), args = FUSE_ARGS_INIT(0, NULL);
	struct fuse_args negative = FUSE_ARGS_INIT(-1, NULL);
	static const struct fuse_opt end[] = { FUSE_OPT_END };
	struct fuse_cmdline_opts cmdline;
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
	IS(-1, fuse_parse_cmdline(NULL, &cmdline));
	IS(-1, fuse_parse_cmdline(&none, NULL));
	IS(-1, fuse_parse_cmdline_30(NULL, &cmdline));
	IS(-1, fuse_parse_cmdline_30(&none, NULL));
	RETURNS(free(fuse_parse_conn_info_opts(NULL)));
	RETURNS(fuse_apply_conn_info_opts(NULL, NULL));
	free(opts);
}

static void bad_buffers(void)
{
	char memory[16] = "";
	int closed = open("/dev/null", O_RDWR);
	struct fuse_bufvec file = FUSE_BUFVEC_INIT(sizeof(memory));
	struct fuse_bufvec here = FUSE_BUFVEC_INIT(sizeof(memory));
	struct fuse_bufvec beyond = FUSE_BUFVEC_INIT(sizeof(memory));
	struct fuse_bufvec empty = { .count = 0 };
	struct fuse_bufvec nowhere = FUSE_BUFVEC_INIT(sizeof(memory));

	here.buf[0].mem = memory;
	beyond.buf[0].mem = memory;
	beyond.idx = 7;
	beyond.off = SIZE_MAX;
	file.buf[0].flags = FUSE_BUF_IS_FD;
	file.buf[0].fd = closed;
	close(closed);
	nowhere.buf[0].flags = FUSE_BUF_IS_FD;
	nowhere.buf[0].fd = -1;

	IS(0, fuse_buf_size(NULL));
	IS(0, fuse_buf_size(&empty));
	IS(-EINVAL, fuse_buf_copy(NULL, NULL, 0));
	IS(-EINVAL, fuse_buf_copy(&here, NULL, 0));
	IS(-EINVAL, fuse_buf_copy(NULL, &here, 0));
	IS(0, fuse_buf_copy(&here, &empty, 0));
	IS(0, fuse_buf_copy(&beyond, &here, 0));
	IS(0, fuse_buf_copy(&here, &beyond, 0));
	here.idx = 0, here.off = 0;
	IS(-EBADF, fuse_buf_copy(&here, &file, 0));
	here.idx = 0, here.off = 0;
	IS(-EBADF, fuse_buf_copy(&file, &here, 0));
	here.idx = 0, here.off = 0;
	IS(-EBADF, fuse_buf_copy(&here, &nowhere, FUSE_BUF_FORCE_SPLICE));
	file.idx = 0, file.off = 0;
	IS(-EBADF, fuse_buf_copy(&file, &nowhere, INT_MAX));
}

static void bad_settings(void)
{
	struct fuse_loop_config *config = fuse_loop_cfg_create();
	struct fuse_loop_config_v1 old = { -1, UINT_MAX };

	RETURNS(fuse_loop_cfg_destroy(NULL));
	RETURNS(fuse_loop_cfg_set_idle_threads(NULL, 1));
	RETURNS(fuse_loop_cfg_set_max_threads(NULL, 1));
	RETURNS(fuse_loop_cfg_set_clone_fd(NULL, 1));
	RETURNS(fuse_loop_cfg_convert(NULL, NULL));
	RETURNS(fuse_loop_cfg_convert(config, NULL));
	RETURNS(fuse_loop_cfg_convert(NULL, &old));
	RETURNS(fuse_loop_cfg_convert(config, &old));
	RETURNS(fuse_loop_cfg_set_idle_threads(config, UINT_MAX));
	RETURNS(fuse_loop_cfg_set_max_threads(config, 0));
	RETURNS(fuse_loop_cfg_set_max_threads(config, UINT_MAX));
	RETURNS(fuse_loop_cfg_set_clone_fd(config, UINT_MAX));
	RETURNS(fuse_loop_cfg_destroy(config));
	RETURNS(fuse_set_log_func(NULL));
	capture_log(LOG_OFF);
	RETURNS(fuse_log(1000, "%s", "a level that is none"));
	RETURNS(fuse_log(-1, "%s", ""));
}

int main(void)
{
	capture_log(LOG_OFF);
	bad_options();
	bad_buffers();
	bad_settings();
	bad_sessions();
	bad_requests();
	bad_paths();
	bad_newest();
	fprintf(stderr, "%d calls\n", calls);
	say("failures: %d\n", failures());
	return failures() != 0;
}
