/* What must be so at the end of a history, when all is well: parts that know nothing of its faults. */
#pragma once

void ending_close_open(void); /* nothing is anybody's guess from then on */
void ending_bundles(unsigned clouds);
void ending_read_back(void);
