# bad: InvalidBaseImagePlatform
FROM --platform=linux/arm64 debian:12
CMD ["a"]
