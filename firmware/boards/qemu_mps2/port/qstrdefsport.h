// The strings that no C file of this port mentions by MP_QSTR_ come from the frozen files: none are listed here.
