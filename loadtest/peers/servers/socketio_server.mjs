// Counters over Socket.IO: events with acknowledgements, a room for those who follow.
import { createServer } from "node:http";
import { Server } from "socket.io";
import { ready } from "./ready.mjs";

const START = 1_000_000_000; // Totals have ten digits from the first to the last.
const purses = [];
let board = START;

const http = createServer();
const io = new Server(http, { transports: ["websocket"] });

io.on("connection", (socket) => {
  let counter = START;

  socket.on("bump", (reply) => reply(++counter));
  socket.on("follow", (reply) => {
    socket.join("board");
    reply(board);
  });
  socket.on("write", (reply) => {
    io.to("board").emit("written", ++board);
    reply(board);
  });
  socket.on("enroll", (reply) => {
    purses.push({ owner: socket, total: START });
    reply(START);
  });
  socket.on("give", (number, reply) => {
    const purse = purses[number];
    purse.owner.emit("given", ++purse.total);
    reply(purse.total);
  });
});

http.listen(0, "127.0.0.1", () => ready(http.address().port, "socket.io"));
process.on("SIGTERM", () => process.exit(0));
