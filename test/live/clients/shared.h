/* Memory of guests is shared: under another tracer the emulated device cannot take private memory. */
#define _GNU_SOURCE
#include <sys/mman.h>
#undef MAP_PRIVATE
#define MAP_PRIVATE MAP_SHARED
