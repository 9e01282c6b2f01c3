/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Notifications on the wire, and interrupts. */
#include "session_api.h"

#include <errno.h>
#include <string.h>

static int expire(struct fuse_session *se, const char *name)
{
#if FUSE_VERSION >= FUSE_MAKE_VERSION(3, 16)
	return fuse_lowlevel_notify_expire_entry(se, 3, name, strlen(name));
#else
	return fuse_lowlevel_notify_expire_entry(se, 3, name, strlen(name), FUSE_LL_EXPIRE_ONLY);
#endif
}

static int store(struct fuse_session *se, int pieces)
{
	union {
		struct fuse_bufvec v;
		char room[sizeof(struct fuse_bufvec) + sizeof(struct fuse_buf)];
	} u = { .v = { .count = (size_t)pieces } };

	u.v.buf[0] = (struct fuse_buf){ .size = 6, .mem = "stored" };
	if (pieces > 1)
		u.v.buf[1] = (struct fuse_buf){ .size = 5, .mem = " data" };
	return fuse_lowlevel_notify_store(se, 9, 4096, &u.v, 0);
}

/*
 * A name that goes on after its length. The installed library sends the next byte of
 * it where the NUL belongs, which the kernel overwrites.
 */
static void part_of_a_string(struct fake *k)
{
	char message[64];

	check(fuse_lowlevel_notify_inval_entry(k->se, 3, "longname", 4) == (k->minor < 12 ? -ENOSYS : 0),
	      "inval_entry of a part of a string");
	if (k->minor >= 12)
		check(fake_take(k, message, sizeof(message)) == 37 &&
			      memcmp(message + 32, "long", 5) == 0,
		      "the name on the wire ends with NUL");
}

/* Every notification once; a kernel that is too old for one gets none. */
static void all(struct fake *k, bool own)
{
	struct fuse_session *se = k->se;
	char drop[256];

	k->unique = 0; /* notifications are shown as "its": their unique is 0 */
	say("inval_inode: %d\n", fuse_lowlevel_notify_inval_inode(se, 5, -1, 1LL << 40));
	fake_replies(k, " ");
	say("inval_entry: %d\n", fuse_lowlevel_notify_inval_entry(se, 3, "name", 4));
	fake_replies(k, " ");
	if (own)
		part_of_a_string(k);
	if (k->minor >= 38) {
		say("expire_entry: %d\n", expire(se, "name"));
		fake_replies(k, " ");
	} else {
		/* The installed library sends it to any kernel, later ones refuse. */
		check(!own || expire(se, "name") == -ENOSYS, "expire_entry needs minor 38");
		while (own && fake_take(k, drop, sizeof(drop)) >= 0)
			;
	}
	say("delete: %d\n", fuse_lowlevel_notify_delete(se, 3, 4, "gone", 4));
	fake_replies(k, " ");
	say("store: %d\n", store(se, 1));
	fake_replies(k, " ");
	say("store of two pieces: %d\n", store(se, 2));
	fake_replies(k, " ");
	say("retrieve: %d\n", fuse_lowlevel_notify_retrieve(se, 9, 100, 8192, (void *)0xc00c1e));
	fake_replies(k, " ");
	say("retrieve again: %d\n", fuse_lowlevel_notify_retrieve(se, 9, 200, 0, (void *)0xc00c1f));
	fake_replies(k, " ");
}

static void retrieve_replies(struct fake *k)
{
	static struct message m;
	/* The answers carry the number of their notification as unique. */
	for (uint64_t i = 1; i <= 3; i++) {
		m.len = 0;
		put(&m, "uuUUuuuuUUuuUUs", (uint32_t)(40 + 40 + 6), (uint32_t)FUSE_NOTIFY_REPLY, i,
		    (uint64_t)9, 0u, 0u, 0u, 0u, (uint64_t)0, (uint64_t)8192, 6u, 0u, (uint64_t)0,
		    (uint64_t)0, "bytes");
		fake_send_raw(k, m.bytes, m.len);
		fake_step(k);
		/* Nothing waits for number 3: it is dropped. */
		fake_replies(k, "notify_reply");
	}
}

void test_notify(bool own)
{
	static const uint32_t minors[] = { 9, 11, 12, 14, 15, 17, 18, 31, 38, 45 };
	struct fake *k;
	int before;

	say("== notifications\n");
	capture_log(LOG_OFF); /* misuse is worth a word to one library, none to the other */
	say("NULL session: %d %d %d %d %d\n", fuse_lowlevel_notify_inval_inode(NULL, 1, 0, 0),
	    fuse_lowlevel_notify_inval_entry(NULL, 1, "x", 1),
	    fuse_lowlevel_notify_delete(NULL, 1, 2, "x", 1), store(NULL, 1),
	    fuse_lowlevel_notify_retrieve(NULL, 1, 1, 0, NULL));
	say("poll without handle: %d\n", fuse_lowlevel_notify_poll(NULL));
	k = fake_new(&printing_ops, NULL);
	/* -ENOSYS by the older rule (minor 0 is too old), -ENOTCONN by the newer. */
	before = fuse_lowlevel_notify_inval_inode(k->se, 1, 0, 0);
	check(before == -ENOSYS || before == -ENOTCONN, "no notification before INIT");
	fake_free(k);
	for (size_t i = 0; i < sizeof(minors) / sizeof(*minors); i++) {
		say("kernel minor %u\n", minors[i]);
		k = fake_new(&printing_ops, NULL);
		fake_init(k, minors[i]);
		all(k, own);
		if (minors[i] == 31)
			retrieve_replies(k);
		fake_free(k);
	}
	capture_log(LOG_LEVEL);
}

/* ---- interrupts */

static fuse_req_t held;

static void on_interrupt(fuse_req_t req, void *data)
{
	say("  interrupt callback, same request: %d, data: %s\n", req == held, (char *)data);
}

static void o_hold(fuse_req_t req, fuse_ino_t ino, int mask)
{
	(void)ino;
	say("  held, interrupted: %d\n", fuse_req_interrupted(req));
	if (mask == 1) {
		held = req;
		fuse_req_interrupt_func(req, on_interrupt, "data");
	} else if (mask == 2) {
		held = req;
	} else {
		fuse_reply_err(req, 0);
	}
}

static void interrupt(struct fake *k, uint64_t target)
{
	static struct message m;

	m.len = 0;
	put(&m, "uuUUuuuuU", 48u, (uint32_t)FUSE_INTERRUPT, target | 1, (uint64_t)0, 0u, 0u, 0u, 0u,
	    target);
	fake_send_raw(k, m.bytes, m.len);
	fake_step(k);
}

void test_interrupts(void)
{
	static const struct fuse_lowlevel_ops ops = { .access = o_hold };
	struct fake *k = fake_new(&ops, NULL);

	say("== interrupts\n");
	fake_init(k, 31);
	ask(k, "held with callback", FUSE_ACCESS, 1, "uu", 1u, 0u);
	interrupt(k, k->unique);
	fake_replies(k, "interrupt");
	say("  interrupted: %d\n", fuse_req_interrupted(held));
	interrupt(k, k->unique);
	fake_replies(k, "interrupt again");
	fuse_req_interrupt_func(held, NULL, NULL);
	fuse_reply_err(held, EINTR);
	fake_replies(k, "answer");

	ask(k, "held without", FUSE_ACCESS, 1, "uu", 2u, 0u);
	interrupt(k, k->unique);
	say("  callback given late\n");
	fuse_req_interrupt_func(held, on_interrupt, "late");
	say("  interrupted: %d\n", fuse_req_interrupted(held));
	fuse_reply_err(held, EINTR);
	fake_replies(k, "answer");

	/* The interrupt overtakes its request. */
	interrupt(k, k->unique + 2);
	fake_replies(k, "interrupt first");
	ask(k, "then its request", FUSE_ACCESS, 1, "uu", 0u, 0u);
	/* One whose request never comes: the kernel is asked to send it again. */
	interrupt(k, 0x7000);
	fake_replies(k, "interrupt of an unknown request");
	k->unique = 0x8000;
	ask(k, "another request", FUSE_ACCESS, 1, "uu", 0u, 0u);
	ask(k, "one more", FUSE_ACCESS, 1, "uu", 0u, 0u);
	fake_free(k);
}
