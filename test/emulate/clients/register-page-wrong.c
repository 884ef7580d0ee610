/* What a VMM may not do with the register page; the argument says which of it. Its guest reads a port again and again, and does not
 * go on where the VP has not taken what stands on the page. */
#include "register-page.h"
#include <pthread.h>
#include <signal.h>

/* in al, 60h; again: jmp again */
static const unsigned char code[] = { 0xe4, 0x60, 0xeb, 0xfe };
static volatile struct register_page *page;

struct names {
	uint64_t partition_id;
	uint32_t vp_index, vtl, name;
};

/* RIP by HVCALL_GET_VP_REGISTERS. */
static uint64_t rip_of(int vp)
{
	struct names input = { .name = HV_REGISTER_RIP };
	uint64_t value[2] = { 0 };
	struct mshv_root_hvcall call = {
		.code = HVCALL_GET_VP_REGISTERS,
		.reps = 1,
		.in_sz = 20,
		.out_sz = sizeof(value),
		.in_ptr = (uintptr_t)&input,
		.out_ptr = (uintptr_t)value,
	};

	show("get", ioctl(vp, MSHV_ROOT_HVCALL, &call));
	return value[0];
}

static int set_rip(int vp, uint64_t rip)
{
	struct {
		uint64_t partition_id;
		uint32_t vp_index, vtl;
		struct hv_register_assoc element;
	} input = { .element = { .name = HV_REGISTER_RIP, .low = rip } };
	struct mshv_root_hvcall call = {
		.code = HVCALL_SET_VP_REGISTERS,
		.reps = 1,
		.in_sz = sizeof(input),
		.in_ptr = (uintptr_t)&input,
	};

	return ioctl(vp, MSHV_ROOT_HVCALL, &call);
}

static void nothing(int number)
{
	(void)number;
}

static void *later(void *runs)
{
	usleep(200000);
	page->rip = 0xfff0;
	mark(page, IP);
	usleep(100000);
	pthread_kill(*(pthread_t *)runs, SIGUSR1);
	return NULL;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	int partition = create_partition(open_device());
	pthread_t self = pthread_self(), other;
	struct hv_message message = { 0 };
	int vp = boot(partition, new_page(MAP_PRIVATE), code, sizeof(code));

	page = map_page(vp, 0);
	if (strcmp(what, "invalid") == 0) {
		page->rip = 0xfff2;
		mark(page, IP);
	}
	show("run", ioctl(vp, MSHV_RUN_VP, &message));
	printf("message=%x valid=%d\n", message.type, page->isvalid);
	page->rip += 2;
	if (strcmp(what, "unmarked") != 0)
		mark(page, IP);
	if (strcmp(what, "passed-by") == 0)
		printf("page=%x vp=%x\n", (int)page->rip, (int)rip_of(vp));
	if (strcmp(what, "set") == 0) {
		/* No longer what the page had: both show it. */
		show("set", set_rip(vp, 0xfff0));
		printf("page=%x vp=%x\n", (int)page->rip, (int)rip_of(vp));
	}
	if (strcmp(what, "running") == 0) {
		signal(SIGUSR1, nothing);
		pthread_create(&other, NULL, later, &self);
		show("run", ioctl(vp, MSHV_RUN_VP, &message));
		printf("valid=%d dirty=%d rip=%x\n", page->isvalid, page->dirty, (int)page->rip);
		return 0;
	}
	if (strcmp(what, "invalid") == 0 || strcmp(what, "passed-by") == 0)
		return 0;
	show("run", ioctl(vp, MSHV_RUN_VP, &message));
	printf("message=%x rip=%x\n", message.type, (int)page->rip);
	return 0;
}
