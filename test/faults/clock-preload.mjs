// Loaded before the program: sets its wall clock an hour back, at the start with CLOCK_BACK=1, and when it gets
// SIGUSR2. Timers run on, as they do when a real clock is set.
const real = Date.now.bind(Date)
const hourMs = 3_600_000
let offsetMs = process.env.CLOCK_BACK === '1' ? -hourMs : 0
Date.now = () => real() + offsetMs
process.on('SIGUSR2', () => {
  offsetMs -= hourMs
})
