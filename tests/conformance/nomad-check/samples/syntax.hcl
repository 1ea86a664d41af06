# What the parser refuses.
# bad: Unsupported argument
job "syntax" {
  groop = 1
}
