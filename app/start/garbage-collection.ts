/**
 * How V8 collects garbage in the product. Importing this sets it, which comes before anything else is loaded.
 *
 * - How far the heap may grow over what is in use before all of it is collected. By default a small heap grows to four
 *   times of that. A process that runs for months beside others is better small. At 50 % it has 60 MB less than at
 *   100 %, for 5 % more CPU while a backlog is worked off; 25 % would save another 45 MB and cost a sixth
 *   (bench/product.ts, bench/delivery/throughput.ts).
 * - Whether threads mark beside the program. Node has four for that, whatever the machine: on two cores they leave the
 *   program none for 60 ms every few seconds. When it marks by itself, a little at a time, the slowest 1 % of deliveries
 *   take 21 ms instead of 35, for the same CPU (bench/delivery/latency.ts). One thread that marks
 *   (`--concurrent-marking-max-worker-num=1`) is in between while endpoints are few, 47 ms with 200 of them where none is
 *   28, and better where a thousand have a connection of their own each few seconds: 75 to 116 ms at 1,200 endpoints, none
 *   103 to 145. The slowest deliveries fall on the marking either way.
 */
import { availableParallelism } from 'node:os'
import { setFlagsFromString } from 'node:v8'

setFlagsFromString('--heap-growing-percent=50')
if (availableParallelism() <= 2) setFlagsFromString('--no-concurrent-marking')
