/*
 * Does to /dev/mshv whatever a program can: threads, signals, processes that are killed, bad pointers, wrong sizes, closed
 * descriptors, every ioctl number. It counts its calls per thread, so that a recording can be held against them.
 *
 *   torture --seed N --rounds N [--threads N] [--no-fork]
 */
#include "torture.h"

#define MOST_COUNTS 65536
/* How often it says how many rounds are left. */
#define TOLD 100

static struct count *counts;
static uint32_t *counted;
static long rounds = 100, threads = 4, forks = 1;
static uint64_t seed = 1;
static uint32_t *left;

struct count *new_count(void)
{
	uint32_t number = __atomic_fetch_add(counted, 1, __ATOMIC_RELAXED);
	struct count *count = &counts[number];

	if (number >= MOST_COUNTS)
		abort();
	count->tid = gettid();
	return count;
}

/* xorshift64*, from Vigna's paper: the same numbers everywhere. */
uint64_t any(struct self *self)
{
	self->random ^= self->random >> 12;
	self->random ^= self->random << 25;
	self->random ^= self->random >> 27;
	return (self->random * 0x2545f4914f6cdd1dull) >> 16;
}

static struct self begin(uint64_t number)
{
	struct self self = { .random = (seed + 1) * 0x9e3779b97f4a7c15ull + number * 0xd1342543de82ef95ull };

	self.count = new_count();
	self.arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	any(&self);
	return self;
}

static void nothing(int signal)
{
	(void)signal;
}

/* Signals come every few milliseconds for as long as the process is there. */
static void interrupt_often(void)
{
	struct itimerval often = { .it_value = { .tv_usec = 3000 }, .it_interval = { .tv_usec = 3000 } };

	setitimer(ITIMER_REAL, &often, NULL);
}

static void in_a_child(struct self *self, int depth)
{
	int how = below(self, 4), n = 2 + below(self, 8);
	pid_t child = fork();

	if (child == 0) {
		struct self own = begin(any(self));

		own.count->killed = how == 0;
		interrupt_often();
		while (n-- > 0)
			round_of(&own, depth + 1);
		if (how == 1)
			execl("/bin/true", "true", NULL);
		if (how == 2)
			raise(SIGKILL);
		_exit(0);
	}
	if (child < 0)
		return;
	if (how == 0) {
		usleep(below(self, 30000));
		kill(child, SIGKILL);
	}
	while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
		;
}

static void *short_thread(void *random)
{
	struct self self = begin((uintptr_t)random);

	any_ioctl(&self);
	use_descriptor(&self);
	munmap(self.arena, ARENA);
	return NULL;
}

/* It may run a VP whose guest never stops. */
static void kick_until_joined(pthread_t thread)
{
	while (pthread_tryjoin_np(thread, NULL) != 0) {
		usleep(2000);
		pthread_kill(thread, SIGUSR1);
	}
}

/* One thing out of all, by chance. */
void round_of(struct self *self, int depth)
{
	uint64_t what = below(self, 100);
	pthread_t thread;

	if (what < 45)
		any_ioctl(self);
	else if (what < 75)
		use_descriptor(self);
	else if (what < 87)
		keep(self, open_some(self));
	else if (what < 95)
		machine(self);
	else if (what < 97 && depth == 0) {
		if (pthread_create(&thread, NULL, short_thread, (void *)(uintptr_t)any(self)) == 0)
			kick_until_joined(thread);
	} else if (depth == 0 && forks)
		in_a_child(self, depth);
}

static void *worker(void *number)
{
	struct self self = begin((uintptr_t)number);
	int32_t now;

	while ((now = (int32_t)__atomic_sub_fetch(left, 1, __ATOMIC_RELAXED)) >= 0) {
		if (now % TOLD == 0)
			dprintf(STDOUT_FILENO, "left %d\n", now);
		round_of(&self, 0);
	}
	return NULL;
}

/* Wakes workers out of whatever they wait in, until all have ended. */
static void kick_until_done(pthread_t *ids)
{
	long n, done = 0;

	while (done < threads) {
		usleep(2000);
		for (n = 0; n < threads; n++) {
			if (ids[n] == 0)
				continue;
			if (pthread_tryjoin_np(ids[n], NULL) == 0) {
				ids[n] = 0;
				done++;
			} else
				pthread_kill(ids[n], SIGUSR1);
		}
	}
}

static long number(const char *text)
{
	return text ? strtol(text, NULL, 0) : 0;
}

int main(int argc, char **argv)
{
	/* One handler asks for interrupted calls to be made again, the other does not. */
	struct sigaction restarts = { .sa_handler = nothing, .sa_flags = SA_RESTART };
	pthread_t ids[64] = { 0 };
	long n;

	for (n = 1; n < argc; n++) {
		if (strcmp(argv[n], "--no-fork") == 0)
			forks = 0;
		else if (strcmp(argv[n], "--seed") == 0)
			seed = number(argv[++n]);
		else if (strcmp(argv[n], "--rounds") == 0)
			rounds = number(argv[++n]);
		else if (strcmp(argv[n], "--threads") == 0)
			threads = number(argv[++n]);
		else
			return 2;
	}
	counts = mmap(NULL, MOST_COUNTS * sizeof(*counts) + PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	counted = (uint32_t *)&counts[MOST_COUNTS];
	left = counted + 1;
	*left = rounds;
	sigaction(SIGUSR1, &restarts, NULL);
	sigaction(SIGALRM, &restarts, NULL);
	for (n = 0; n < POOL; n++)
		pool[n] = -1;
	for (n = 0; n < threads; n++)
		pthread_create(&ids[n], NULL, worker, (void *)(uintptr_t)(n + 1));
	kick_until_done(ids);
	for (n = 0; n < (long)*counted; n++)
		printf("%u %u %u %u\n", counts[n].tid, counts[n].ioctls, counts[n].opens, counts[n].killed);
	printf("done\n");
	return 0;
}
