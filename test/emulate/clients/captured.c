/* Guests whose memory others change: by the first argument what happens. */
#include "common.h"
#include <pthread.h>

#define CODE_AT 0x600
#define DATA_AT 0x700
#define HLT 0xf4
#define NOP 0x90

/* jmp 0:600h */
static const unsigned char reset[] = { 0xea, 0x00, 0x06, 0x00, 0x00 };
/* three times: mov al, [700h]; mov [701h], al; hlt */
static const unsigned char copies[] = {
	0xa0, 0x00, 0x07, 0xa2, 0x01, 0x07, HLT,
	0xa0, 0x00, 0x07, 0xa2, 0x02, 0x07, HLT,
	0xa0, 0x00, 0x07, 0xa2, 0x03, 0x07, HLT,
};
/* again: mov al, [700h]; test al, al; jz again; hlt */
static const unsigned char waits[] = { 0xa0, 0x00, 0x07, 0x84, 0xc0, 0x74, 0xf9, HLT };
/* mov cx, 40000; again: lock inc word [700h]; loop again; hlt */
static const unsigned char counts[] = { 0xb9, 0x40, 0x9c, 0xf0, 0xff, 0x06, 0x00, 0x07, 0xe2, 0xf9, HLT };

static unsigned char *memory;

static int start(const unsigned char *code, size_t size, int vps[], int count)
{
	int partition = create_partition(open_device());

	memory = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memcpy(memory + CODE_AT, code, size);
	memcpy(memory + 4096 + 0xff0, reset, sizeof(reset));
	ioctl(partition, MSHV_INITIALIZE_PARTITION);
	give_memory(partition, memory, 4096, 0);
	give_memory(partition, memory + 4096, 4096, 0xfffff);
	for (int index = 0; index < count; index++)
		vps[index] = create_vp(partition, index);
	return partition;
}

static void *run(void *vp)
{
	struct hv_message message;

	return ioctl(*(int *)vp, MSHV_RUN_VP, &message) == 0 && message.type == HVMSG_X64_HALT ? vp : NULL;
}

static void *write_later(void *nothing)
{
	usleep(100000);
	memory[DATA_AT] = 1;
	return nothing;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	pthread_t threads[2];
	int vps[2];

	if (strcmp(what, "rewritten") == 0) {
		start(copies, sizeof(copies), vps, 1);
		for (int round = 0; round < 3; round++) {
			memory[DATA_AT] = 5 + round;
			if (run(&vps[0]) == NULL)
				return 1;
			/* The guest goes on behind its HLT, which is rewritten. */
			memory[CODE_AT + 7 * round + 6] = NOP;
		}
		printf("seen=%d %d %d\n", memory[DATA_AT + 1], memory[DATA_AT + 2], memory[DATA_AT + 3]);
	} else if (strcmp(what, "meanwhile") == 0) {
		start(waits, sizeof(waits), vps, 1);
		pthread_create(&threads[0], NULL, write_later, NULL);
		printf("seen=%d\n", run(&vps[0]) != NULL);
	} else if (strcmp(what, "two") == 0) {
		void *ended[2];

		start(counts, sizeof(counts), vps, 2);
		for (int index = 0; index < 2; index++)
			pthread_create(&threads[index], NULL, run, &vps[index]);
		for (int index = 0; index < 2; index++)
			pthread_join(threads[index], &ended[index]);
		printf("count=%d\n", ended[0] == NULL || ended[1] == NULL ? -1 : *(unsigned short *)(memory + DATA_AT));
	}
	return 0;
}
