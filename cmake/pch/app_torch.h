// The same of what is linked with LibTorch, whose options are others.
#include "app.h"
