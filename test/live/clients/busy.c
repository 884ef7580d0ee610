/*
 * busy [WAITING]: makes calls until it is told to end: four threads that sleep, wait and call, so many that wait alone, again and
 * again, and one that catches signals. Prints a line first, and at the end whether anything failed that should not: waits that
 * ended with EINTR (`broken`), and anything else.
 */
#include "../../emulate/clients/common.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

#define THREADS 4

static volatile sig_atomic_t ended, caught;
static int unexpected, broken;

static void end(int unused)
{
	(void)unused;
	ended = 1;
}

static void count(int unused)
{
	(void)unused;
	caught++;
}

/* Other threads count as well. */
static void wait_once(int poll, int ms)
{
	struct epoll_event event;

	if (epoll_wait(poll, &event, 1, ms) != 0)
		__atomic_fetch_add(errno == EINTR ? &broken : &unexpected, 1, __ATOMIC_RELAXED);
}

static void *keep_waiting(void *unused)
{
	int poll = epoll_create1(0);

	while (!ended)
		wait_once(poll, 1);
	return unused;
}

static void *work(void *unused)
{
	int file = open("/dev/null", O_RDWR), poll = epoll_create1(0);
	struct timespec pause = { .tv_nsec = 1000000 };

	while (!ended) {
		if (ioctl(file, MSHV_INITIALIZE_PARTITION) != -1 || errno != ENOTTY)
			unexpected++;
		wait_once(poll, 20);
		if (nanosleep(&pause, NULL) != 0)
			unexpected++;
	}
	return unused;
}

int main(int argc, char **argv)
{
	int waiting = argc > 1 ? atoi(argv[1]) : 0;
	pthread_t threads[THREADS + 64];
	sigset_t all, none;
	struct sigaction ends = { .sa_handler = end }, counts = { .sa_handler = count };

	sigfillset(&all);
	sigemptyset(&none);
	sigaction(SIGTERM, &ends, NULL);
	sigaction(SIGUSR1, &counts, NULL);
	pthread_sigmask(SIG_BLOCK, &all, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, NULL);
	for (int i = 0; i < waiting; i++)
		pthread_create(&threads[THREADS + i], NULL, keep_waiting, NULL);
	printf("%d\n", getpid());
	fflush(stdout);
	while (!ended)
		sigsuspend(&none);
	for (int i = 0; i < THREADS + waiting; i++)
		pthread_join(threads[i], NULL);
	printf("unexpected=%d broken=%d caught=%d\n", unexpected, broken, caught);
	return 0;
}
