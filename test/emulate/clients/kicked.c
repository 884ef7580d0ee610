/* One thread signals another, which runs a VP and makes hypercalls: the signal ends MSHV_RUN_VP, and no other call. */
#include "common.h"
#include <pthread.h>
#include <signal.h>

#define KICKS 150

/* again: out 60h, al; jmp again */
static const unsigned char code[] = { 0xe6, 0x60, 0xeb, 0xfc };
static const uint32_t rip_name = 0x20010;
static volatile int handled, done;

static void count(int number)
{
	(void)number;
	handled++;
}

static void *kick(void *thread)
{
	for (int n = 0; n < KICKS; n++) {
		int before = handled;

		pthread_kill(*(pthread_t *)thread, SIGUSR1);
		while (handled == before)
			usleep(50);
		usleep(37 * (n % 16));
	}
	done = 1;
	return NULL;
}

/* Gets or sets RIP, as a VMM does after each exit. */
static int rip(int vp, int set, uint64_t *value)
{
	struct {
		uint64_t partition;
		uint32_t index, vtl, name, reserved, rest[2];
		uint64_t value[2];
	} input = { .name = rip_name, .value = { *value } };
	uint64_t output[2];
	struct mshv_root_hvcall call = {
		.code = set ? HVCALL_SET_VP_REGISTERS : HVCALL_GET_VP_REGISTERS,
		.reps = 1,
		.in_sz = set ? 48 : 20,
		.in_ptr = (uintptr_t)&input,
		.out_sz = set ? 0 : 16,
		.out_ptr = set ? 0 : (uintptr_t)output,
	};
	int result = ioctl(vp, MSHV_ROOT_HVCALL, &call);

	if (!set)
		*value = output[0];
	return result;
}

int main(void)
{
	struct sigaction once = { .sa_handler = count };
	int partition = create_partition(open_device()), exits = 0, kicks = 0, failed = 0, first = 0;
	int vp = boot(partition, new_page(MAP_PRIVATE), code, sizeof(code));
	pthread_t self = pthread_self(), other;
	struct hv_message message;
	uint64_t at;

	sigaction(SIGUSR1, &once, NULL);
	pthread_create(&other, NULL, kick, &self);
	while (!done) {
		if (ioctl(vp, MSHV_RUN_VP, &message) != 0) {
			kicks += errno == EINTR;
			continue;
		}
		exits++;
		if (rip(vp, 0, &at) != 0)
			failed++, first = first ? first : errno;
		at = 0xfff0;
		if (rip(vp, 1, &at) != 0)
			failed++, first = first ? first : errno;
	}
	pthread_join(other, NULL);
	printf("failed=%d%s%s handled=%d exits=%s kicks=%s\n", failed, first ? " " : "", first ? strerrorname_np(first) : "",
	       handled, exits > 0 ? "some" : "none", kicks > 0 ? "some" : "none");
	return 0;
}
