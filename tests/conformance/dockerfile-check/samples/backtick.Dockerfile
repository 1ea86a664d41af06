# escape=`
# With another sign to escape with, a backslash is a letter as any other.
FROM scratch
ENV A="C:\a `"b`" `$HOME" B=a` b `
    C=\
LABEL legacy="\$A"
HEALTHCHECK NONE
CMD ["C:\\a`"]
