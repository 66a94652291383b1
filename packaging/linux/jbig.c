/* In place of JBIG-KIT, which is under the GPL and comes with Tesseract's wheel: libtiff does not load without these
   functions, and calls them for TIFF files alone. Consign hands over pixels; what came here would end at once. */

#include <stdlib.h>

#define NEVER(name)                                                                                                    \
    void name(void);                                                                                                   \
    void name(void) { abort(); }

NEVER(jbg_dec_free)
NEVER(jbg_dec_getimage)
NEVER(jbg_dec_getsize)
NEVER(jbg_dec_in)
NEVER(jbg_dec_init)
NEVER(jbg_enc_free)
NEVER(jbg_enc_init)
NEVER(jbg_enc_out)
NEVER(jbg_newlen)
NEVER(jbg_strerror)
