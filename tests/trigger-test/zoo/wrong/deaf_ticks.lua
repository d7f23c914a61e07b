-- What is done after deafness was never tried.
-- caught: pairs takes a table, got nil

local ctx = hastur.trigger{}
ctx:every("second", function(tick)
  if tick.deaf > 0 then
    for uuid, at in pairs(ctx.state.deadlines) do -- here
      ctx.state.deadlines[uuid] = at + tick.deaf
    end
  end
end)
