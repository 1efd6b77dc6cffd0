/* The statement cache: see compiled.h, which holds its interface. This header is for the layers that only name it. */
#ifndef AG_COMPILE_CACHE_H
#define AG_COMPILE_CACHE_H

#include "compile/compiled.h"

#endif
