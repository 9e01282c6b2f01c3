/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * INIT with kernels of many ages.
 *
 * Where two correct libraries differ, the transcript shows a normalised value, and
 * the library under test is checked here instead. The differences are named:
 *   own minor        the installed library announces 31, the newest protocol is 45
 *   FUSE_INIT_EXT    unknown to a library of protocol 31: masked out of flags
 *   flags2 and the fields behind it: zero unless FUSE_INIT_EXT is echoed
 *   capabilities above bit 26 of `capable` came after 3.14
 *   PARALLEL_DIROPS, HANDLE_KILLPRIV: wanted by default up to 3.16 (though never
 *                    sent), not by later ones: masked out of `want`
 */
#include "session_api.h"

#include <errno.h>
#include <string.h>

#define INIT_EXT (1u << 30)
#define KNOWN_CAPS ((1u << 27) - 1)
#define WANT_BY_AGE (FUSE_CAP_PARALLEL_DIROPS | FUSE_CAP_HANDLE_KILLPRIV)

static uint32_t own_minor;
static bool is_own;

struct reply {
	struct fuse_out_header h;
	uint32_t major, minor, max_readahead, flags;
	uint16_t max_background, congestion_threshold;
	uint32_t max_write, time_gran;
	uint16_t max_pages, map_alignment;
	uint32_t flags2, max_stack_depth;
	unsigned char rest[24];
};

static void print_reply(struct fake *k, uint32_t offered, uint32_t offered2)
{
	struct reply r;
	ssize_t n;
	char minor[16];

	memset(&r, 0, sizeof(r));
	n = fake_take(k, &r, sizeof(r));
	if (n < 24) {
		say("  reply len=%zd error=%d\n", n, n > 0 ? r.h.error : 0);
		return;
	}
	if (own_minor == 0)
		own_minor = r.minor;
	snprintf(minor, sizeof(minor), r.minor == own_minor ? "own" : "%u", r.minor);
	say("  reply len=%zd error=%d major=%u minor=%s", n, r.h.error, r.major, minor);
	if (n > 24)
		say(" readahead=%u flags=%#x background=%u congestion=%u write=%u", r.max_readahead,
		    r.flags & ~INIT_EXT, r.max_background, r.congestion_threshold, r.max_write);
	if (n > 40)
		say(" gran=%u pages=%u align=%u", r.time_gran, r.max_pages, r.map_alignment);
	say("\n");
	check((r.flags & ~offered & ~(uint32_t)FUSE_BIG_WRITES) == 0, "no flag that was not offered");
	if (is_own) {
		check(!(r.flags & INIT_EXT) == !(offered & INIT_EXT) || n <= 40,
		      "INIT_EXT is echoed exactly if offered");
		check((r.flags2 & ~offered2) == 0, "no flag in flags2 that was not offered");
	}
	if (!(r.flags & INIT_EXT))
		check(r.flags2 == 0 && r.max_stack_depth == 0, "zero behind the fields in use");
}

/* ---- init callbacks */

struct wish {
	bool set_limits;
	uint32_t want_more, want_less;
	bool bad_max_read;
};

static void on_init(void *userdata, struct fuse_conn_info *c)
{
	const struct wish *w = userdata;

	say("  init proto=%u.%u write=%u readahead=%u background=%u congestion=%u gran=%u\n",
	    c->proto_major, c->proto_minor, c->max_write, c->max_readahead, c->max_background,
	    c->congestion_threshold, c->time_gran);
	say("  capable=%#x want=%#x max_read=%u\n", c->capable & KNOWN_CAPS & ~WANT_BY_AGE,
	    c->want & KNOWN_CAPS & ~WANT_BY_AGE, c->max_read);
	if (w->set_limits) {
		c->max_write = 65536;
		c->max_readahead = 32768;
		c->max_background = 20;
		c->congestion_threshold = 15;
		c->time_gran = 1000;
	}
	c->want |= w->want_more;
	c->want &= ~w->want_less;
	if (w->bad_max_read)
		c->max_read = 8192;
}

static struct fuse_lowlevel_ops init_ops(void)
{
	struct fuse_lowlevel_ops ops = printing_ops;

	ops.init = on_init;
	ops.destroy = NULL;
	return ops;
}

static void one(const char *what, struct wish wish, uint32_t major, uint32_t minor, uint32_t flags,
		uint32_t flags2)
{
	static struct message m;
	struct fuse_lowlevel_ops ops = init_ops();
	struct fake *k = fake_new(&ops, &wish);

	say("init: %s, kernel %u.%u\n", what, major, minor);
	m.len = 0;
	put_init(&m, major, minor, flags, flags2);
	fake_send(k, FUSE_INIT, 0, &m);
	fake_step(k);
	print_reply(k, flags, flags2);
	if (major > 7) {
		/* "Too new": the kernel asks again, with what it was told. */
		say("init: again with 7.23\n");
		m.len = 0;
		put_init(&m, 7, 23, flags, 0);
		fake_send(k, FUSE_INIT, 0, &m);
		fake_step(k);
		print_reply(k, flags, flags2);
	}
	say("  exited=%d\n", fuse_session_exited(k->se) != 0);
	fake_free(k);
}

static void out_of_order(void)
{
	static struct message m;
	struct fuse_lowlevel_ops ops = init_ops();
	struct wish wish = { .set_limits = false };
	struct fake *k = fake_new(&ops, &wish);

	say("== before INIT, and INIT twice\n");
	ask(k, "lookup before init", FUSE_LOOKUP, 1, "s", "x");
	ask(k, "getattr before init", FUSE_GETATTR, 1, "uuU", 0u, 0u, (uint64_t)0);
	m.len = 0;
	put_init(&m, 7, 31, 0x0fffffff, 0);
	fake_send(k, FUSE_INIT, 0, &m);
	fake_step(k);
	print_reply(k, 0x0fffffff, 0);
	ask(k, "after", FUSE_ACCESS, 1, "uu", 0u, 0u);
	fake_send(k, FUSE_INIT, 0, &m);
	fake_step(k);
	fake_replies(k, "second init");
	ask(k, "still works", FUSE_ACCESS, 1, "uu", 0u, 0u);
	fake_free(k);
}

void test_init(bool own)
{
	static const uint32_t minors[] = { 3, 4, 5, 6, 8, 9, 11, 12, 13, 14, 17, 20, 22, 23, 28, 31 };
	const uint32_t all = 0x0fffffff;
	struct wish none = { .set_limits = false };
	struct wish limits = { .set_limits = true };

	say("== INIT\n");
	is_own = own;
	one("newest", none, 7, 45, 0x7fffffff, 0xffffffff);
	for (size_t i = 0; i < sizeof(minors) / sizeof(*minors); i++)
		one("all flags", none, 7, minors[i], all, 0);
	one("extended", none, 7, 36, 0x7fffffff, 0);
	one("extended", none, 7, 38, 0x7fffffff, 0xf);
	one("no flags", none, 7, 31, 0, 0);
	one("no flags", none, 7, 23, 0, 0);
	one("no max_pages", none, 7, 31, all & ~(uint32_t)FUSE_MAX_PAGES, 0);
	one("limits set", limits, 7, 31, all, 0);
	one("limits set", limits, 7, 12, all, 0);
	one("limits set", limits, 7, 22, all, 0);
	one("more wanted", (struct wish){ .want_more = FUSE_CAP_WRITEBACK_CACHE | FUSE_CAP_DONT_MASK |
						       FUSE_CAP_POSIX_ACL | FUSE_CAP_CACHE_SYMLINKS },
	    7, 31, all, 0);
	one("less wanted", (struct wish){ .want_less = FUSE_CAP_ASYNC_READ | FUSE_CAP_READDIRPLUS |
						       FUSE_CAP_POSIX_LOCKS | FUSE_CAP_SPLICE_READ },
	    7, 31, all, 0);
	one("too old", none, 6, 0, 0, 0);
	one("too new", none, 8, 1, all, 0);
	capture_log(LOG_OFF);
	one("wanted but not offered", (struct wish){ .want_more = FUSE_CAP_WRITEBACK_CACHE }, 7, 31,
	    all & ~(uint32_t)FUSE_WRITEBACK_CACHE, 0);
	one("max_read differs", (struct wish){ .bad_max_read = true }, 7, 31, all, 0);
	capture_log(LOG_LEVEL);
	out_of_order();
}
